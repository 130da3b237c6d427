"""The card that goes along with a model, in both languages."""

import html
import re
from dataclasses import replace

import pytest
from huggingface_hub import ModelCard

from demo.models.head import Head
from demo.models.recipe import HeadConfig, Optimizer, Recipe, Trains
from demo.models.zoo import EMBEDDED, ZOO
from demo.tasks.code import write_code
from demo.ui.finetune.keep.card import Kind, draw_card, escape
from demo.words.language import CHINESE, ENGLISH, Words
from tests.heads import NAMES, light_head
from tests.networks import summary

SPEC = ZOO[EMBEDDED]
COUNTS = {name: {"train": 10 + number, "validation": 3} for number, name in enumerate(NAMES)}
HOSTILE = (
    "| a | b |",
    "`code`",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[here](javascript:alert(1))",
    "![x](http://example.org/x.png)",
    "&lt;b&gt; **bold** _it_ ~~no~~",
    "# 1. - > $x^2$ \\",
    "<http://example.org> www.example.org",
)


def card_of(head: Head, counts: dict[str, dict[str, int]], words: Words = ENGLISH, kind: Kind = Kind.ZIP) -> str:
    return draw_card(words, head, counts, kind)


def test_a_card_tells_counts_results_recipe_and_limits() -> None:
    card = card_of(light_head(), COUNTS)
    assert "| ants | 10 | 3 |" in card
    assert "| 蜜蜂 🐝 | 11 | 3 |" in card
    assert "| validation | 9 of 10 | 90.0% | 59.6% to 98.2% | 10.00 points |" in card
    assert "| training | 20 of 20 | 100.0% |" in card
    assert "| test |" not in card
    assert f"```python\n{write_code(Recipe(), SPEC, 3)}```" in card
    assert SPEC.file_name in card
    assert "3,843 numbers were trained" in card
    assert "python3 predict.py --self-test" in card
    assert f"AdamW, seed 0, {Recipe.epochs} epochs at most, {Recipe.batch_size} pictures in a batch, " in card
    assert f"learning rate {Recipe.learning_rate}, weight decay {Recipe.weight_decay}." in card
    assert "Each training picture was seen as it is, mirrored." in card
    assert "seen as it is, mirrored, in 2 random crops." in card_of(light_head(recipe=Recipe(crops=2)), COUNTS)
    assert "seen as it is." in card_of(light_head(recipe=Recipe(optimizer=Optimizer.RIDGE)), COUNTS)


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (Recipe(), "the validation pictures chose no epoch"),
        (Recipe(patience=3), "chosen by the validation pictures"),
        (Recipe(optimizer=Optimizer.RIDGE), "no part in the head"),
    ],
    ids=["last epoch", "early stopping", "closed form"],
)
def test_a_card_says_what_the_validation_pictures_chose(recipe: Recipe, sentence: str) -> None:
    assert sentence in card_of(light_head(recipe=recipe), COUNTS)


def test_a_card_of_a_head_from_elsewhere_says_that_counts_are_unknown() -> None:
    card = card_of(light_head(), {})
    assert "- ants\n" in card
    assert "not known here" in card


def test_a_card_with_a_test_shows_it() -> None:
    tested = replace(summary(), test_accuracy=0.75, test_correct=3, test_count=4)
    card = card_of(replace(light_head(), summary=tested), COUNTS)
    assert "| test | 3 of 4 | 75.0% | 30.1% to 95.4% | 25.00 points |" in card


def test_a_card_shows_balanced_accuracy_where_classes_differ_in_size() -> None:
    settled = Recipe().settle([48, 5])
    card = card_of(replace(light_head(), summary=replace(summary(settled), val_balanced=0.875)), COUNTS)
    assert "one picture is | balanced accuracy |" in card
    assert "| validation | 9 of 10 | 90.0% | 59.6% to 98.2% | 10.00 points | 87.5% |" in card
    assert "| training | 20 of 20 | 100.0% | 83.9% to 100.0% | 5.00 points | – |" in card
    assert "Classes of different sizes were balanced." in card
    assert "balanced" not in card_of(light_head(recipe=Recipe().settle([5, 5])), COUNTS)


def test_a_card_says_where_the_head_was_trained_first() -> None:
    recipe = Recipe(Trains.LAST_STAGE, warm_start=True)
    assert "The head was trained alone first." in card_of(light_head(recipe=recipe), COUNTS)
    assert "alone first" not in card_of(light_head(recipe=replace(recipe, trains=Trains.HEAD)), COUNTS)


def test_hostile_class_names_are_only_text_on_a_card() -> None:
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable(["table", "strikethrough"])
    card = card_of(light_head(HOSTILE), {name: {"train": 5, "validation": 2} for name in HOSTILE})
    rendered = markdown.render(card)
    for name in HOSTILE:
        assert f"<td>{html.escape(name)}</td>" in rendered.replace("&#x27;", "'")
    plain = markdown.render(card_of(light_head([f"class {n}" for n in range(9)]), {}))
    for tag in ("<script", "<img", "<a ", "<code>", "<strong>", "<em>", "<h1>", "<s>"):
        assert rendered.count(tag) == plain.count(tag), tag
    assert escape("a_b|c") == "a\\_b\\|c"


@pytest.mark.parametrize("kind", Kind)
def test_a_chinese_card_has_the_same_numbers_and_no_english(kind: Kind) -> None:
    head = light_head(recipe=Recipe(head=HeadConfig(2, 64, 0.5), crops=2, patience=3))
    english, chinese = (card_of(head, COUNTS, words, kind) for words in (ENGLISH, CHINESE))
    plain = [re.sub(r"```.*?```", "", card, flags=re.DOTALL) for card in (english, chinese)]
    numbers = [set(re.findall(r"\d[\d,.]*\d|\d", card)) for card in plain]
    assert numbers[0] == numbers[1]
    assert "picture" not in re.sub(r"`[^`]*`", "", plain[1])
    assert re.findall(r"```.*?```", english, flags=re.DOTALL) == re.findall(r"```.*?```", chinese, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("name", "licence"),
    [(EMBEDDED, {"license": "apache-2.0"}), ("resnet18", {"license": "other", "license_name": "see-below"})],
)
def test_a_card_for_the_hub_begins_with_metadata(name: str, licence: dict[str, str]) -> None:
    card = card_of(light_head(HOSTILE, backbone=name), {}, CHINESE, Kind.TIMM)
    front = ModelCard(card).data.to_dict()
    assert front.items() >= {"library_name": "timm", "language": "zh", **licence}.items()
    assert front.get("base_model", "") == ZOO[name].hub_repo
    assert not any(part in card.split("---\n")[1] for part in ("script", "|", "<"))
    assert not card_of(light_head(), {}).startswith("---")
