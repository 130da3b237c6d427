"""The model card in the page's language: what a head knows, how well, how it was made, its limits, how to use it."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from demo.data.dataset import Split
from demo.models.head import Head, TrainingSummary
from demo.models.recipe import Balance, Recipe, Trains
from demo.models.zoo import BackboneSpec, find_spec
from demo.tasks.code import write_code
from demo.tasks.evaluate import wilson
from demo.tasks.features import choose_views
from demo.tasks.onnx import INPUT, OPSET, OUTPUT
from demo.words.keep import CardWords
from demo.words.language import Words

Counts = Mapping[str, Mapping[str, int]]  # class name -> split -> number of pictures

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")

_HOW_TO_RUN = {
    "zip": """```bash
python3 -m pip install -r requirements.txt
python3 predict.py photo.jpg folder --csv out.csv
python3 predict.py --self-test
python3 predict.py --self-test folder-with-the-validation-pictures
```""",
    "onnx": f"""```python
import json
import numpy as np
import onnxruntime
from PIL import Image

model = onnxruntime.InferenceSession("model.onnx")
about = model.get_modelmeta().custom_metadata_map
how, names = json.loads(about["transforms"]), json.loads(about["classes"])
picture, crop = Image.open("photo.jpg").convert("RGB"), how["crop_size"]
size = [how["resize_size"] * side // min(picture.size) for side in picture.size]
picture = picture.resize(size, getattr(Image.Resampling, how["interpolation"].upper()))
left, top = [round((side - crop) / 2) for side in size]
pixels = np.asarray(picture.crop((left, top, left + crop, top + crop)), dtype=np.float32) / 255
pixels = (pixels - np.float32(how["mean"])) / np.float32(how["std"])
({OUTPUT},) = model.run(None, {{"{INPUT}": pixels.transpose(2, 0, 1)[None]}})
print(dict(zip(names, {OUTPUT}[0])))
```""",
    "timm": """```python
import timm
from PIL import Image

model = timm.create_model("local-dir:the-folder", pretrained=True).eval()  # of the Hub: "hf-hub:owner/name"
transform = timm.data.create_transform(**timm.data.resolve_data_config(model=model))
picture = Image.open("photo.jpg").convert("RGB")
probabilities = model(transform(picture)[None]).softmax(dim=1)[0].tolist()
print(dict(zip(model.pretrained_cfg["label_names"], probabilities)))
```""",
}


class Kind(StrEnum):
    """What a card goes with."""

    ZIP = "zip"
    ONNX = "onnx"
    TIMM = "timm"


def draw_card(words: Words, head: Head, counts: Counts, kind: Kind) -> str:
    """Return a card as Markdown.

    Args:
        words: The page's words.
        head: What it tells of.
        counts: The pictures that it was trained and checked with; empty where they are not known any more.
        kind: What it goes with; for the Hub it begins with the metadata that the Hub reads.
    """
    card, spec, recipe = words.finetune.keep.card, find_spec(head.backbone_name), head.summary.recipe
    code = write_code(recipe, spec, len(head.class_names))
    parts = [
        _describe(words, head, spec),
        f"## {card.classes_title}\n\n{_draw_counts(words, head.class_names, counts)}",
        f"## {card.results_title}\n\n{_draw_results(words, head.summary)}",
        f"## {card.recipe_title}\n\n{describe_recipe(card, recipe)}\n\n{card.as_code}\n\n```python\n{code}```",
        f"## {card.limits_title}\n\n{_describe_limits(card, head.summary, kind)}",
        f"## {card.run_title}\n\n{_HOW_TO_RUN[kind]}\n\n{_describe_use(card, kind)}",
        f"## {card.licence_title}\n\n{card.licences[spec.library]}",
    ]
    return (_draw_front(words, spec) if kind is Kind.TIMM else "") + "\n\n".join(parts) + "\n"


def _draw_front(words: Words, spec: BackboneSpec) -> str:
    """Return the metadata of a card on the Hub, https://huggingface.co/docs/hub/model-cards; no text of a visitor."""
    is_free = spec.library == "timm"
    lines = ["library_name: timm", "pipeline_tag: image-classification", "tags:", "- image-classification", "- timm"]
    lines += ["license: apache-2.0"] if is_free else ["license: other", "license_name: see-below"]
    lines += [f"base_model: {spec.hub_repo}"] if spec.hub_repo else []
    return "\n".join(["---", *lines, f"language: {words.language[:2]}", "---", "", ""])


def _describe(words: Words, head: Head, spec: BackboneSpec) -> str:
    card, names = words.finetune.keep.card, list(map(escape, head.class_names))
    about = card.about.format(
        network=f"[{spec.display_name}]({spec.paper})",
        year=spec.year,
        file=spec.file_name,
        shape=describe_shape(card, head),
        trains=card.trains[head.summary.recipe.trains],
        parameters=head.num_parameters,
        count=len(names),
    )
    return f"# {card.title.format(names=words.list_separator.join(names))}\n\n{about}"


def describe_shape(card: CardWords, head: Head) -> str:
    """Say of which layers a head is made."""
    config = head.summary.recipe.head
    return card.hidden.format(count=config.hidden_layers, width=config.width) if config.hidden_layers else card.linear


def _draw_counts(words: Words, class_names: Sequence[str], counts: Counts) -> str:
    if not counts:
        listed = "\n".join(f"- {escape(name)}" for name in class_names)
        return f"{listed}\n\n{words.finetune.keep.card.counts_unknown}"
    splits = [split for split in Split if any(split.value in each for each in counts.values())]
    rows = [[escape(name), *(str(counts.get(name, {}).get(split, 0)) for split in splits)] for name in class_names]
    header = [words.finetune.gather.dataset_class, *(words.finetune.split_names[split] for split in splits)]
    return _draw_table(header, rows)


def _draw_results(words: Words, summary: TrainingSummary) -> str:
    """Return a table of the splits with 95% intervals, and which of them to believe."""
    return f"{_draw_table(*list_results(words, summary))}\n\n{_describe_splits(words.finetune.keep.card, summary)}"


def list_results(words: Words, summary: TrainingSummary) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a table: what is right in each split, with its 95% interval."""
    card = words.finetune.keep.card
    results = [
        (Split.TRAIN, round(summary.train_accuracy * summary.train_count), summary.train_count, None),
        (Split.VALIDATION, summary.val_correct, summary.val_count, summary.val_balanced),
        (Split.TEST, summary.test_correct, summary.test_count, summary.test_balanced),
    ]
    is_balanced = any(balanced is not None for *_, balanced in results)
    rows = []
    for split, correct, count, balanced in results:
        if count:
            low, high = wilson(correct, count)
            values = {"correct": correct, "count": count, "share": correct / count, "points": 100 / count}
            cells = [cell.format(**values, low=low, high=high) for cell in card.results_cells]
            cells += ["–" if balanced is None else f"{balanced:.1%}"] if is_balanced else []
            rows.append([words.finetune.split_names[split], *cells])
    header = [*card.results_header, *([card.results_balanced] if is_balanced else [])]
    return header, rows


def _describe_splits(card: CardWords, summary: TrainingSummary) -> str:
    chosen = card.chosen.format(chosen=summary.chosen_epoch, epochs=summary.epochs)
    if summary.recipe.is_closed_form:
        return f"{card.learned} {card.no_part}"
    return f"{card.learned} {chosen} {card.chosen_early if summary.recipe.patience else card.chosen_last}"


def describe_recipe(card: CardWords, recipe: Recipe) -> str:
    """Say in sentences how a head was trained."""
    sentence = card.closed_form if recipe.is_closed_form else card.descent
    text = sentence.format(
        optimizer=card.optimizers[recipe.optimizer],
        seed=recipe.seed,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
    )
    asides = [card.balanced] if recipe.balance is Balance.ON else []
    asides += [card.head_first] if recipe.warm_start and recipe.trains is not Trains.HEAD else []
    asides += [card.shuffled] if recipe.shuffled else []
    views = choose_views(recipe)
    num_crops = sum(view.crop > 0 for view in views)
    seen = [card.seen_plain, *([card.seen_mirrored] if len(views) > num_crops else [])]
    seen += [card.seen_crops.format(count=num_crops)] if num_crops else []
    return " ".join([text, *asides, card.seen.format(views=card.views_separator.join(seen))])


def _describe_limits(card: CardWords, summary: TrainingSummary, kind: Kind) -> str:
    limits = [limit.format(count=summary.train_count) for limit in card.limits]
    return "\n".join(f"- {limit}" for limit in [*limits, *([card.hashes] if kind is Kind.ZIP else [])])


def _describe_use(card: CardWords, kind: Kind) -> str:
    return card.use[kind].format(opset=OPSET, input=INPUT, output=OUTPUT)


def _draw_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escape(text: str) -> str:
    """Escape a text so that Markdown shows it literally: no HTML, no link, no column, no code."""
    return _PUNCTUATION.sub(r"\\\1", text)
