"""What a head gets right and wrong, as a visitor sees it: numbers, pictures behind them, and what it does not know."""

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from demo.data.dataset import Split
from demo.data.samples import EXAMPLES, find_example
from demo.tasks.evaluate import find_cell
from demo.tasks.finetune import score
from demo.tasks.novelty import Judgement, NoveltyReport
from demo.tasks.verdict import Comparison
from demo.ui.finetune.report_markup import draw_report
from demo.ui.finetune.results import CellPanel, ResultsPanel
from demo.ui.finetune.results_markup import draw_comparison, draw_novelty
from demo.ui.server.errors import ValueNotFitting
from demo.visitors.errors import NoHead
from demo.visitors.session import Session, Trained
from demo.words.language import CHINESE, ENGLISH, Words
from tests.pictures import MakeZip, colour_folders, encode, noise, write_zip
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, Visitor, fill, is_left, recipe_values

CAT = find_example("cat").path
HOSTILE = "<img src=x onerror=alert(1)>"
NAMES = (HOSTILE, "heads", "tails")  # as a folder of them is read: sorted
RIDGE = recipe_values(optimizer="ridge")
# Nothing can be learned from them, so that some answers are right and others wrong.
CHANCE = {
    f"{split}/{name}/{HOSTILE}{number}.png": encode(noise(100 * seed + number))
    for split, count, first in (("train", 4, 0), ("val", 5, 3), ("test", 3, 6))
    for seed, name in enumerate(NAMES, first)
    for number in range(count)
}
# The elements that the panel is made of.
PARTS = {"p", "strong", "h3", "div", "table", "thead", "tbody", "tr", "th", "td", "button", "figure", "figcaption"}
PARTS |= {"img", "ol", "li", "span", "svg", "rect", "line"}
NUMBERS = re.compile(r"\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def visitor(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A page on which a head was trained on chance."""
    visitor = Visitor(server.url)
    visitor.bring(write_zip(tmp_path_factory.mktemp("upload") / "chance.zip", CHANCE))
    visitor.train(*RIDGE)
    yield visitor
    visitor.close()


@pytest.fixture(scope="module")
def session(visitor: Visitor, server: Server) -> Session:
    return server.rooms.sessions.attach(visitor.token)


@pytest.fixture(scope="module")
def trained(session: Session) -> Trained:
    assert session.results is not None
    return session.results


def answers(trained: Trained, split: Split) -> NDArray[np.float64]:
    """Return the probabilities of a split by the numbers of the head alone."""
    weight, bias = (each.numpy().astype(np.float64) for each in trained.head.module.parameters())
    logits = trained.features.values[trained.features.chosen(split)] @ weight.T + bias
    likelihoods = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = likelihoods / likelihoods.sum(axis=1, keepdims=True)
    return probabilities


def truths(trained: Trained, split: Split) -> NDArray[np.int64]:
    return trained.features.class_idxs[trained.features.chosen(split)]


def pictures(markup: Markup) -> list[bytes]:
    return [base64.b64decode(source.partition(",")[2]) for source in markup.values("src")]


def ask_novelty(visitor: Visitor, percent: int) -> list[str]:
    """Return what the page says of a threshold that accepts so much: a sentence, the table's cells, a note."""
    (said,) = visitor.call("show_novelty", percent)
    markup = Markup(said)
    assert set(markup.elements) <= PARTS | {"em"}
    return markup.texts


@pytest.mark.parametrize(("split", "count"), [(Split.TEST, 9), (Split.VALIDATION, 15)])
def test_the_headline_counts_and_bounds(visitor: Visitor, trained: Trained, split: Split, count: int) -> None:
    panel = fill(ResultsPanel, visitor.call("change_split", split.value))
    correct = int((answers(trained, split).argmax(axis=1) == truths(trained, split)).sum())
    share, z = correct / count, NormalDist().inv_cdf(0.975)
    # Wilson's bounds are the shares p from which what was seen is z standard deviations away.
    low, high = np.sort(np.roots([1 + z**2 / count, -2 * share - z**2 / count, share**2]).real)
    assert 0 < correct < count
    sentence, note = Markup(panel.headline).texts[0:2], Markup(panel.headline).texts[-1]
    assert sentence[0] == f"{correct} of {count}"
    assert [float(number) for number in NUMBERS.findall(sentence[1])] == pytest.approx(
        [100 * share, 100 * low, 100 * high, 95, 100 / count], abs=0.051
    )
    assert ENGLISH.finetune.split_names[split] in sentence[1]
    assert note == (
        ENGLISH.finetune.results.test_note if split is Split.TEST else ENGLISH.finetune.results.validation_note
    )
    assert panel.split["value"] == split.value
    assert panel.split["visible"] is True


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
@pytest.mark.parametrize(
    ("only_deeper", "only_alone", "verdict"),
    [(9, 1, "better"), (2, 1, "better_by_chance"), (2, 2, "even"), (2, 4, "worse_by_chance"), (1, 9, "worse")],
)
def test_more_layers_are_judged_beside_the_head_alone(
    trained: Trained, words: Words, only_deeper: int, only_alone: int, verdict: str
) -> None:
    comparison = Comparison(30, 20 + only_deeper, 20 + only_alone, only_deeper, only_alone)
    said = draw_comparison(words, replace(trained, comparisons={Split.TEST: comparison}), Split.TEST)
    text = "".join("".join(each) for each in Markup(said).texts)
    numbers = [float(each) for each in NUMBERS.findall(text)]
    assert {20 + only_deeper, 20 + only_alone, 30} <= set(numbers)
    assert (f"{100 * comparison.p_value:.1f}%" in text) == (verdict != "even")
    ending = words.finetune.results.verdicts[verdict].format(
        train=100 * trained.head.summary.train_accuracy, held_out=100 * comparison.deeper / 30
    )
    assert text.endswith(ending)
    assert draw_comparison(words, trained, Split.TEST) == ""
    assert draw_comparison(words, replace(trained, comparisons={Split.TEST: comparison}), Split.VALIDATION) == ""


def test_the_panel_and_the_report_say_what_more_layers_brought(
    visitor: Visitor, session: Session, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = replace(trained, comparisons={Split.TEST: Comparison(9, 3, 4, 1, 2)})
    monkeypatch.setattr(session, "trained", compared)
    sentence = draw_comparison(ENGLISH, compared, Split.TEST)
    assert sentence
    assert fill(ResultsPanel, visitor.call("change_split", Split.TEST.value)).headline.endswith(sentence)
    assert sentence not in fill(ResultsPanel, visitor.call("change_split", Split.VALIDATION.value)).headline
    assert sentence in draw_report(ENGLISH, compared)


@pytest.mark.parametrize("split", [Split.TEST, Split.VALIDATION])
def test_every_cell_shows_its_pictures(visitor: Visitor, trained: Trained, split: Split) -> None:
    markup = Markup(fill(ResultsPanel, visitor.call("change_split", split.value)).confusion)
    expected = np.zeros((3, 3), dtype=int)
    np.add.at(expected, (truths(trained, split), answers(trained, split).argmax(axis=1)), 1)
    counts = [int(text) for text in markup.texts if text.isdigit()]
    picks = markup.values("data-pick")
    assert counts == expected.flatten().tolist()
    assert picks == [f"{row},{column}" for row in range(3) for column in range(3)]
    scores = score(trained.head, trained.features, split)
    for pick, count in zip(picks, counts, strict=True):
        panel = CellPanel(*visitor.call("show_cell", split.value, event_data={"pick": pick}))
        positions = find_cell(scores, *map(int, pick.split(",")))
        shown = Markup(panel.cell)
        assert shown.values("data-pick") == [str(position) for position in positions]
        assert pictures(shown) == [trained.dataset.samples[scores.sample_idxs[each]].thumbnail for each in positions]
        assert len(positions) == count
        assert panel.detail == ""


def test_a_picture_says_what_speaks_for_it_and_what_is_alike(visitor: Visitor, trained: Trained) -> None:
    probabilities, places = answers(trained, Split.TEST), np.flatnonzero(trained.features.chosen(Split.TEST))
    training = np.flatnonzero(trained.features.chosen(Split.TRAIN))
    directions = trained.features.values / np.linalg.norm(trained.features.values, axis=1, keepdims=True)
    for position in (0, 8):
        (detail,) = visitor.call("show_picture", Split.TEST.value, event_data={"pick": str(position)})
        markup = Markup(detail)
        best = np.argsort(-probabilities[position])
        sample = trained.dataset.samples[places[position]]
        truth = truths(trained, Split.TEST)[position]
        second = truth if truth != best[0] else best[1]
        similarity = directions[training] @ directions[places[position]]
        alike = np.argsort(-similarity)[:3]
        assert markup.texts[0] == f"{sample.path}: is {NAMES[truth]}"
        assert markup.texts[1:7] == [
            text for idx in best for text in (f"{NAMES[idx]} ", f"{100 * probabilities[position, idx]:.1f}%")
        ]
        assert markup.values("alt")[1:3] == [f"speaks for {NAMES[idx]}" for idx in (best[0], second)]
        assert pictures(markup)[3:] == [trained.dataset.samples[training[idx]].thumbnail for idx in alike]
        assert markup.texts[-3:] == [
            f"{NAMES[trained.features.class_idxs[training[idx]]]} ({similarity[idx]:.2f})" for idx in alike
        ]
        assert len(set(pictures(markup)[:2])) == 2


BAD_PICKS: list[Any] = [
    {"pick": "-1"},
    {"pick": "-1,0"},
    {"pick": "0,3"},
    {"pick": "99"},
    {"pick": "9" * 5000},
    {"pick": "zero"},
    {"pick": "0,0,0"},
    {"pick": "0;0"},
    {"pick": " 0"},
    {"pick": "٠"},
    {"pick": None},
    {"pick": [0, 0]},
    {"pick": {"pick": 0}},
    {},
    ["pick"],
    "pick",
    7,
    None,
]


@pytest.mark.parametrize("event_data", BAD_PICKS, ids=lambda each: str(each)[:24])
@pytest.mark.parametrize("handler", ["show_cell", "show_picture"])
def test_a_bad_pick_is_refused(visitor: Visitor, handler: str, event_data: Any) -> None:
    with pytest.raises(Refused) as refused:
        visitor.call(handler, Split.TEST.value, event_data=event_data)
    highest = 2 if handler == "show_cell" else 8
    assert re.fullmatch(rf"pick is .{{0,20}}; it must be from 0 to {highest}\.", str(refused.value))


def test_only_what_was_held_out_is_shown(visitor: Visitor) -> None:
    for handler, split in product(["show_cell", "show_picture", "change_split"], ["train", "everything", 1, ["test"]]):
        with pytest.raises(Refused) as refused:
            visitor.call(handler, split, event_data={"pick": "0"})
        assert str(refused.value) == ENGLISH.explain(ValueNotFitting())


@pytest.mark.parametrize("percent", [50, 80, 95, 100])
def test_what_is_accepted_of_known_pictures_and_of_strangers(visitor: Visitor, trained: Trained, percent: int) -> None:
    words, chosen = ENGLISH.finetune.results, trained.features.chosen
    features = trained.features.values.astype(np.float64)
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    learned, class_idxs = ~chosen(Split.TEST), trained.features.class_idxs

    def ask(known: NDArray[np.bool_], shown: NDArray[np.bool_]) -> tuple[float, str]:
        """Return the threshold, and what the page says of how many are accepted."""
        own = np.sort(units[known] @ units[known].T, axis=1)[:, -4:-1].mean(axis=1)  # the last one is itself
        threshold = float(np.quantile(1 - own, percent / 100, method="hazen"))
        distances = 1 - np.sort(units[shown] @ units[known].T, axis=1)[:, -3:].mean(axis=1)
        accepted, count = int((distances <= threshold + 1e-9).sum()), int(shown.sum())
        return threshold, words.novelty_accepted.format(accepted=accepted, count=count, percent=100 * accepted / count)

    sentence, *cells = ask_novelty(visitor, percent)
    threshold, test = ask(learned, chosen(Split.TEST))
    assert sentence == words.novelty.format(threshold=threshold, percent=percent, count=27)
    assert cells[:6] == [
        *words.novelty_columns,
        words.novelty_test,
        test,
        words.novelty_examples,
        f"0 of {len(EXAMPLES)} (0%)",
    ]
    rows = dict(zip(cells[6:14:2], cells[7:14:2], strict=True))
    left_out = [ask(learned & (class_idxs != idx), learned & (class_idxs == idx))[1] for idx in range(3)]
    assert rows == {
        **{words.novelty_class.format(name=name): said for name, said in zip(NAMES, left_out, strict=True)},
        words.novelty_each: rows[words.novelty_each],
    }
    accepted = [int(said.split()[0]) for said in left_out]
    assert rows[words.novelty_each].startswith(f"{sum(accepted)} of 27 ")
    note = "".join(cells[14:])
    assert f"Had it never seen {NAMES[accepted.index(max(accepted))]}, it would take {max(accepted)} of" in note


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_why_no_class_is_left_out_where_layers_were_trained(words: Words) -> None:
    report = NoveltyReport(0.95, 0.25, 16, Judgement(0, 0), (False,) * 5 + (True, False), (), 0.3)
    said = words.finetune.results
    accepted = said.novelty_accepted.format(accepted=1, count=7, percent=100 / 7)
    assert Markup(draw_novelty(words, report, NAMES)).texts == [
        f"{said.novelty_tuned.format(threshold=0.25, percent=95, count=16)} "
        f"{said.novelty_photo_strange.format(distance=0.3)}",
        *said.novelty_columns,
        *(said.novelty_examples, f"{accepted} · {words.predict.example_names['flower']}"),
        said.novelty_no_class,
    ]


@pytest.mark.parametrize("percent", [49, 101, -1, 10**30, "many", None, [95], float("nan")])
def test_no_other_share_can_be_asked_for(visitor: Visitor, percent: Any) -> None:
    with pytest.raises(Refused):
        visitor.call("show_novelty", percent)


def test_the_visitors_photograph_is_judged_too(visitor: Visitor, tmp_path: Path) -> None:
    known = tmp_path / "known.png"
    known.write_bytes(CHANCE[f"train/heads/{HOSTILE}0.png"])
    strange = ENGLISH.finetune.results.novelty_photo_strange.partition(" (")[0], ") is none of these."
    for path, (beginning, ending) in ((CAT, strange), (known, ("Your photograph", ") is accepted."))):
        visitor.call("choose_photo", visitor.upload(path))
        sentence = ask_novelty(visitor, 100)[0]
        assert beginning in sentence
        assert sentence.endswith(ending)
    visitor.call("choose_photo", None)
    assert beginning not in ask_novelty(visitor, 100)[0]


def test_names_are_text_in_every_part(visitor: Visitor) -> None:
    panel = fill(ResultsPanel, visitor.call("change_split", "test"))
    cell = CellPanel(*visitor.call("show_cell", "test", event_data={"pick": "0,0"})).cell
    (detail,) = visitor.call("show_picture", "test", event_data={"pick": "0"})
    for part in (panel.headline, panel.confusion, panel.cell, panel.classes, panel.reliability, cell, detail):
        markup = Markup(part)
        assert not any(name.startswith("on") for name, _ in markup.attributes)
        assert all(source.startswith("data:image/jpeg;base64,") for source in markup.values("src"))
        assert set(markup.elements) <= PARTS
    for part in (panel.confusion, panel.classes, detail):
        assert any(HOSTILE in text for text in Markup(part).texts)


def test_the_classes_and_the_points_are_those_of_the_split(visitor: Visitor, trained: Trained) -> None:
    for split in (Split.VALIDATION, Split.TEST):
        panel = fill(ResultsPanel, visitor.call("change_split", split.value))
        truth, said = truths(trained, split), answers(trained, split).argmax(axis=1)
        cells = Markup(panel.classes).texts[6:]
        for idx, name in enumerate(NAMES):
            row = cells[6 * idx : 6 * idx + 6]
            assert row[:3] == [name, str((truth == idx).sum()), str((said == idx).sum())]
            assert row[4] == f"{100 * (said[truth == idx] == idx).mean():.1f}%"
        data = panel.points.plot["value"]["data"]
        assert [each[2] for each in data] == [NAMES[idx] for idx in truth]
        centred = np.array([each[:2] for each in data], dtype=float)
        assert centred.mean(axis=0) == pytest.approx([0, 0], abs=1e-6)


def test_the_reliability_is_that_of_the_split(visitor: Visitor, trained: Trained) -> None:
    panel = fill(ResultsPanel, visitor.call("change_split", "test"))
    probabilities = answers(trained, Split.TEST)
    right = probabilities.argmax(axis=1) == truths(trained, Split.TEST)
    sureness = probabilities.max(axis=1)
    bins = np.ceil(sureness * 10) - 1
    off = sum(abs((sureness - right)[bins == each].sum()) for each in set(bins)) / len(right)
    sentence = next(text for text in Markup(panel.reliability).texts if text.startswith("On average the two differ"))
    assert f"differ by {100 * off:.1f} points" in sentence
    assert sum(int(text) for text in Markup(panel.reliability).texts if text.isdigit()) == 9


def test_the_temperature_is_judged_on_the_test_split_whichever_is_shown(visitor: Visitor, trained: Trained) -> None:
    found, words = trained.calibration, ENGLISH.finetune.results
    assert found is not None
    assert found.before is not None
    assert found.after is not None
    assert (found.before.count, found.num_validation, found.num_training) == (9, 15, 12)
    for split in Split.VALIDATION, Split.TEST:
        assert fill(ResultsPanel, visitor.call("change_split", split.value)).temperature == ""
        (said,) = Markup(visitor.call("show_temperature")[0]).texts
        assert words.temperature_source.format(validation=15, training=12) in said
        if found.temperature == 1:
            assert words.temperature_one in said
        else:
            assert f"is {found.temperature:.2f}" in said
            assert f"{100 * found.before.calibration_error:.1f} points" in said


def test_without_a_test_split_no_number_judges_the_temperature(visit: Visit, make_zip: MakeZip) -> None:
    visitor = visit()
    visitor.bring(make_zip(colour_folders(6)))
    visitor.train(*RIDGE)
    (said,) = Markup(visitor.call("show_temperature")[0]).texts
    assert said.endswith(ENGLISH.finetune.results.temperature_unjudged)
    assert "points" not in said


def test_the_same_head_is_not_drawn_again_and_another_page_draws_it(visitor: Visitor, visit: Visit) -> None:
    visitor.call("change_split", "test")
    again = visitor.call("show_results", "test", None)
    assert all(map(is_left, again))
    reloaded = visit(token=visitor.token, language="zh")
    panel = fill(ResultsPanel, reloaded.call("show_results", "test", None))
    assert panel.whole["visible"] is True
    assert CHINESE.finetune.results.test_note in panel.headline
    assert CHINESE.finetune.results.confusion_help in panel.confusion
    assert CHINESE.finetune.results.detail_hint in panel.detail


def test_without_a_test_split_the_validation_is_shown(visit: Visit, make_zip: MakeZip) -> None:
    visitor = visit()
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*RIDGE)
    panel = fill(ResultsPanel, visitor.call("show_results", "test", None))
    assert (panel.split["visible"], panel.split["value"]) == (False, "validation")
    assert ENGLISH.finetune.results.validation_note in panel.headline
    assert "<strong>2 of 2</strong>" in panel.headline


def test_a_dropped_head_has_no_results(visit: Visit, server: Server, make_zip: MakeZip) -> None:
    visitor = visit()
    assert all(map(is_left, visitor.call("show_results", "test", None)))  # there is nothing to hide yet
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*RIDGE)
    assert fill(ResultsPanel, visitor.call("show_results", "test", None)).whole["visible"] is True
    visitor.call("back_to_imagenet")
    panel = fill(ResultsPanel, visitor.call("show_results", "test", None))
    assert panel.whole["visible"] is False
    assert [panel.headline, panel.confusion, panel.cell, panel.detail, panel.classes, panel.reliability] == [""] * 6
    assert panel.temperature == ""
    assert visitor.call("show_novelty", 95) == [""]
    assert server.rooms.sessions.attach(visitor.token).trained is None  # it would keep the pictures
    for handler in ("show_cell", "show_picture"):
        assert all(map(is_left, visitor.call(handler, "test", event_data={"pick": "0"})))


def test_results_go_with_the_pictures_and_the_head_stays(visit: Visit, make_zip: MakeZip) -> None:
    visitor = visit()
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*RIDGE)
    assert "blue" in fill(ResultsPanel, visitor.call("show_results", "test", None)).confusion
    visitor.call("drop_pictures")
    panel = fill(ResultsPanel, visitor.call("show_results", "test", None))
    assert panel.whole["visible"] is False
    assert panel.confusion == ""
    assert "blue" in visitor.refresh().strip


def test_a_page_without_results_refuses_nothing_and_shows_nothing(visit: Visit) -> None:
    visitor = visit()
    assert fill(ResultsPanel, visitor.call("change_split", "test")).whole["visible"] is False
    with pytest.raises(Refused) as refused:
        visitor.call("make_report")
    assert str(refused.value) == ENGLISH.explain(NoHead())
