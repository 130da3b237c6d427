"""The trials: swapped colours, near-copies on both sides of the split, and heads of more layers."""

from typing import Any, NamedTuple

import pytest
from PIL import Image

from demo.data.starters import STARTERS
from demo.settings import Settings
from demo.tasks.copies import CopiesResult, Deals
from demo.tasks.evaluate import Accuracy
from demo.tasks.layers import LayersPoint
from demo.tasks.swap import Swapped, SwappedPicture
from demo.ui.finetune.results import ResultsPanel
from demo.ui.finetune.steps import Controls
from demo.ui.finetune.trials.copies import draw_copies
from demo.ui.finetune.trials.lab import Trial
from demo.ui.finetune.trials.layers import draw_layers
from demo.ui.finetune.trials.swap import draw_swapped
from demo.words.language import CHINESE, ENGLISH, Words
from tests.pictures import MakeZip, colour_folders
from tests.visitor import Markup, Visit, fill, is_left, recipe_values

LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)


class Watched(NamedTuple):
    """What the watcher of a trial fills."""

    shown: Trial
    controls: Controls


def swap_is_offered(shown: list[Any]) -> bool:
    return "data-pick" in fill(ResultsPanel, shown).swap


@pytest.mark.slow
def test_the_colours_of_the_meadow_can_be_swapped_and_the_head_falls(
    visit: Visit, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(settings), "max_pictures", 40)
    visitor = visit()
    visitor.call("choose_starter", None, turn=list(STARTERS).index("meadow"))
    visitor.train(*recipe_values(25, flips=False))
    assert swap_is_offered(visitor.call("show_results", "test", -1))
    (found,) = visitor.call("swap_colours")
    header, before, after, mixed = [Markup(row).texts for row in found.split("<tr>")[1:]]
    words = ENGLISH.finetune.swap
    assert header == list(words.columns)
    assert [before[0], after[0], mixed[0]] == list(words.rows)
    counts = [int(row[1].split("/")[0]) for row in (before, after, mixed)]
    assert counts[1] < 0.3 * counts[0]
    assert words.shortcut.split(":")[0] in found
    assert Markup(found).elements.count("img") == 8


def test_other_heads_have_nothing_to_swap(visit: Visit, make_zip: MakeZip) -> None:
    visitor = visit()
    assert is_left(visitor.call("swap_colours")[0])
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*recipe_values(optimizer="ridge"))
    assert not swap_is_offered(visitor.call("show_results", "test", -1))


@LANGUAGES
def test_a_head_that_does_not_fall_is_not_blamed(words: Words) -> None:
    picture = SwappedPicture(Image.new("RGB", (8, 8)), class_idx=0, answer_idx=1)
    swapped = Swapped(Accuracy.of(32, 32), Accuracy.of(31, 32), Accuracy.of(32, 32), pictures=(picture,))
    texts = Markup(draw_swapped(words, swapped, ("<b>", "spider"))).texts
    assert texts[0] == words.finetune.swap.no_shortcut.format(count=32, before=32, after=31, mixed=32)
    assert words.finetune.swap.caption.format(truth="<b>", answer="spider") in texts


def test_the_comparison_runs_to_its_end_and_another_page_finds_it(visit: Visit, make_zip: MakeZip) -> None:
    visitor = visit()
    visitor.bring(make_zip(colour_folders()))
    visitor.call("start_copies")
    shown, controls = fill(Watched, visitor.call("watch_copies"))
    assert Markup(shown.status).texts == [ENGLISH.finetune.experiments.done]
    assert ENGLISH.finetune.steps.jobs["copies"] in controls.steps.experiments.tab["label"]
    assert len(shown.found.split("<tr>")) == 4
    reloaded = visit(token=visitor.token)
    assert fill(Watched, reloaded.call("watch_copies")).shown == shown


@LANGUAGES
@pytest.mark.parametrize(
    ("copies", "together", "sentence"), [(120, 0.7, "leaking"), (120, 0.99, "unclear"), (0, 0.7, "nothing")]
)
def test_the_numbers_decide_what_is_said_of_copies(words: Words, copies: int, together: float, sentence: str) -> None:
    result = CopiesResult(120, copies, 30, Deals((0.99, 1.0)), Deals((together, together - 0.02)))
    said = Markup(draw_copies(words, [result])).texts[0]
    expected = getattr(words.finetune.copies, sentence)
    numbers = {"by_chance": 99.5, "together": 100 * together - 1, "copies": copies, "count": 120, "groups": 30}
    assert said == expected.format(**numbers)


def point(layers: int, correct: int, *, is_shuffled: bool = False) -> LayersPoint:
    is_right = (True,) * correct + (False,) * (40 - correct)
    accuracies = Accuracy.of(100, 100), Accuracy.of(correct, 40)
    return LayersPoint(layers, is_shuffled, 1234, *accuracies, is_right, chance=0.2)


@LANGUAGES
def test_heads_of_more_layers_stand_side_by_side_and_are_judged(words: Words) -> None:
    ours = words.finetune.layers
    right = [point(0, 30), point(1, 31)]
    shuffled = [point(0, 9, is_shuffled=True), point(1, 8, is_shuffled=True)]
    running = Markup(draw_layers(words, right)).texts
    assert running == [*ours.columns, "0", ours.labels[0], "100/100 (100%)", "30/40 (75%)", "1,234", *running[10:]]
    first, second, *table = Markup(draw_layers(words, [*right, *shuffled])).texts
    assert first == ours.verdicts["better_by_chance"].format(best=31, linear=30, count=40, layers=1)
    assert second == ours.by_heart.format(train=100, val=22.5, chance=20)
    assert table.count(ours.labels[1]) == 2


def test_all_heads_are_trained_from_the_page(visit: Visit, make_zip: MakeZip) -> None:
    visitor = visit()
    visitor.bring(make_zip(colour_folders()))
    visitor.call("start_layers")
    shown, controls = fill(Watched, visitor.call("watch_layers"))
    assert Markup(shown.status).texts == [ENGLISH.finetune.experiments.done]
    assert len(shown.found.split("<tr>")) == 2 + 8
    assert ENGLISH.finetune.steps.jobs["layers"] in controls.steps.experiments.tab["label"]


@pytest.mark.slow
@LANGUAGES
def test_a_head_of_shuffled_labels_is_called_so_wherever_it_is_shown(
    visit: Visit, make_zip: MakeZip, words: Words
) -> None:
    visitor = visit(language=words.language[:2])
    visitor.bring(make_zip(colour_folders(20)))
    said = words.finetune.training.trained_shuffled
    assert said in visitor.train(*recipe_values(2, shuffled=True))
    assert said in fill(ResultsPanel, visitor.call("show_results", "test", -1)).headline
    assert words.strip.shuffled in visitor.refresh().strip
    assert said not in visitor.train(*recipe_values(2))
    assert words.strip.shuffled not in visitor.refresh().strip
