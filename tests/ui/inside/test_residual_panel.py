"""The residual lab as a visitor uses it: blocks, what they add, answers without them, pictures counted again."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from demo.data.dataset import Split
from demo.data.samples import find_example
from demo.models.backbone import Backbone
from demo.models.zoo import EMBEDDED, ZOO, find_spec
from demo.tasks.blocks import list_blocks
from demo.tasks.evaluate import Accuracy
from demo.tasks.predict import ClassProbability, predict
from demo.tasks.residual import Answer, BlockTrial, measure_without, switch_off, view_block
from demo.ui.inside.block_markup import draw_drawing, draw_view
from demo.ui.inside.panel import Subject
from demo.ui.inside.residual import (
    AnswerOutputs,
    Off,
    ResidualOutputs,
    count_again,
    draw_absent,
    draw_answers,
    draw_trial,
    parse_off,
)
from demo.visitors.errors import NoHead
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH, Words
from tests.networks import summary
from tests.pictures import colour_folders, write_zip
from tests.served import Server
from tests.tasks.test_residual import EMBEDDED_BLOCKS, linear_head, untrained
from tests.ui.inside.test_inside import alt_texts
from tests.visitor import Markup, Refused, Visit, Visitor, fill, is_left, recipe_values

CAT = find_example("cat").path
LAB = ENGLISH.inside.residual
HOSTILE = "<img src=x onerror=alert(1)>"
LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)


@pytest.fixture(scope="module")
def visitor(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A page with a photograph, and a head of the visitor's own in use."""
    visitor = Visitor(server.url)
    visitor.call("choose_photo", visitor.upload(CAT))
    visitor.bring(write_zip(tmp_path_factory.mktemp("upload") / "colours.zip", colour_folders(4)))
    visitor.train(*recipe_values(optimizer="ridge"))
    yield visitor
    visitor.close()


@pytest.fixture(scope="module")
def session(visitor: Visitor, server: Server) -> Session:
    return server.rooms.sessions.attach(visitor.token)


def cells(markup: str) -> list[list[str]]:
    """Return the texts of the tables in some HTML, by rows."""
    return [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", markup)]


def open_lab(visitor: Visitor, block: Any = None, shortcuts: Any = None, blocks: Any = None) -> ResidualOutputs:
    return fill(ResidualOutputs, visitor.call("open_residual", block, shortcuts, blocks))


def test_the_blocks_of_the_network_in_use_are_offered(visitor: Visitor) -> None:
    opened = open_lab(visitor)
    assert (opened.hint, opened.answers.counted) == ("", "")
    assert (opened.lab["visible"], opened.count_button["visible"]) == (True, True)
    assert [name for _, name in opened.block["choices"]] == EMBEDDED_BLOCKS
    assert opened.block["choices"][1][0] == "blocks.2.1 (inverted residual; 40 × 28 × 28)"
    assert opened.block["value"] == EMBEDDED_BLOCKS[0]
    for control in opened.off:
        assert [name for _, name in control["choices"]] == EMBEDDED_BLOCKS
        assert control["value"] == []
    assert LAB.nothing_off in opened.answers.answers


def test_what_another_network_had_is_forgotten_and_the_rest_is_kept(visitor: Visitor) -> None:
    opened = open_lab(visitor, "layer1.0", ["layer1.0", "blocks.1.1"], ["layer2.0"])
    assert opened.block["value"] == "blocks.1.1"
    assert (opened.off.shortcuts["value"], opened.off.blocks["value"]) == (["blocks.1.1"], [])
    assert "blocks.1.1" in opened.drawn
    assert LAB.answers.format(shortcuts=1, blocks=0) in opened.answers.answers


def test_a_block_is_shown_by_its_maps_and_norms(visitor: Visitor, embedded: Backbone, cat: Image.Image) -> None:
    (drawn,) = visitor.call("draw_block", "blocks.3.1")
    view = view_block(embedded, "blocks.3.1", cat)
    signals = (view.x, view.residual, view.total)
    places = [LAB.places[each] for each in ("x", "residual", "total")]  # no projection, and no ReLU after the sum
    assert alt_texts(drawn) == [LAB.map_alt.format(place=place, name="blocks.3.1") for place in places]
    assert drawn.count(' download="block-blocks-3-1') == 3
    assert cells(drawn)[4:] == [  # behind what a trial of the block gave
        list(LAB.norm_columns),
        *(
            [place, "80 × 14 × 14", f"{signal.norm:.4g}", f"{signal.mean_norm:.4g}"]
            for place, signal in zip(places, signals, strict=True)
        ),
    ]
    assert LAB.ratio.format(percent=100 * view.ratio) in drawn


@pytest.mark.parametrize(
    ("name", "block", "places"),
    [
        ("resnet18", "layer1.0", ["x", "residual", "total", "output"]),
        ("resnet18", "layer2.0", ["x", "shortcut", "residual", "total", "output"]),
        (EMBEDDED, "blocks.1.1", ["x", "residual", "total"]),
    ],
)
@LANGUAGES
def test_a_block_is_drawn_with_its_shapes(
    name: str, block: str, places: list[str], words: Words, embedded: Backbone, cat: Image.Image
) -> None:
    backbone, lab = embedded if name == EMBEDDED else resnet18(), words.inside.residual
    chosen = next(each for each in list_blocks(backbone) if each.name == block)
    table = cells(draw_view(lab, chosen, view_block(backbone, block, cat)))
    assert [row[0] for row in table[1:]] == [lab.places[place] for place in places]
    drawing = Markup(draw_drawing(lab, chosen))
    (label,) = drawing.values("aria-label")
    for layer in (*chosen.layers, *chosen.projection):
        assert layer.description in label
        assert " × ".join(map(str, layer.shape)) in label
        assert any(layer.description in text for text in drawing.texts)
        assert any(" × ".join(map(str, layer.shape)) in text for text in drawing.texts)
    assert (lab.drawing_identity in label) is not chosen.has_projection
    assert ("ReLU" in drawing.texts) is chosen.ends_in_relu
    assert drawing.values("role") == ["img"]
    assert drawing.values("download") == [f"{block}.svg"]


_made: list[Backbone] = []


def resnet18() -> Backbone:
    """Return one ResNet-18 with random weights for all tests of this file."""
    if not _made:
        _made.append(untrained("resnet18"))
    return _made[0]


def test_answers_before_and_after_stand_side_by_side(
    visitor: Visitor, session: Session, embedded: Backbone, cat: Image.Image
) -> None:
    head, off = session.state.head, ["blocks.3.1", "blocks.4.2"]
    view = switch_off(embedded, shortcuts=off[:1], blocks=off)
    before, after = (predict(each, cat, head=head).top for each in (embedded, view))
    outputs = AnswerOutputs(*visitor.call("compare_answers", off[:1], off))
    assert LAB.answers.format(shortcuts=1, blocks=2) in outputs.answers
    assert outputs.counted == ""
    _, *rows = cells(outputs.answers)
    assert rows == [
        [
            str(place),
            first.class_name,
            f"{100 * first.probability:.1f}%",
            second.class_name,
            f"{100 * second.probability:.1f}%",
        ]
        for place, (first, second) in enumerate(zip(before, after, strict=True), 1)
    ]


def trial(*, whole: float, block_off: float, shortcut_off: float) -> BlockTrial:
    return BlockTrial(
        "blocks.1.1",
        ClassProbability(0, HOSTILE, whole),
        Answer(ClassProbability(0, HOSTILE, block_off), block_off),
        Answer(ClassProbability(1, "other", 0.5), shortcut_off),
    )


@LANGUAGES
@pytest.mark.parametrize(
    ("block_off", "shortcut_off", "verdict"),
    [(0.9, 0.02, "shortcut"), (0.02, 0.9, "block"), (0.9, 0.905, "alike"), (0.95, 0.93, "shortcut")],
)
def test_a_trial_says_what_happened_whichever_way_it_went(
    words: Words, block_off: float, shortcut_off: float, verdict: str
) -> None:
    lab = words.inside.residual
    drawn = draw_trial(lab, trial(whole=0.95, block_off=block_off, shortcut_off=shortcut_off))
    assert [each for each, text in lab.trial_verdicts.items() if text in drawn] == [verdict]
    assert lab.trial_unsure not in drawn
    assert "img" not in Markup(drawn).elements
    assert [row[0] for row in cells(drawn)[1:]] == list(lab.trial_rows.values())
    assert [row[2] for row in cells(drawn)[1:]] == [f"{100 * each:.1f}%" for each in (0.95, block_off, shortcut_off)]


def test_a_trial_of_an_answer_that_is_not_sure_says_so() -> None:
    assert LAB.trial_unsure in draw_trial(LAB, trial(whole=0.39, block_off=0.3, shortcut_off=0.01))


def test_the_lab_opens_on_what_one_shortcut_is_worth(visit: Visit) -> None:
    opened = open_lab(visit())  # on the first example
    assert LAB.trial_verdicts["shortcut"] in opened.drawn
    assert "espresso" in opened.drawn
    assert LAB.turned.format(outside=24, inside=144) in opened.drawn


def test_whatever_a_class_is_called_is_shown_as_text(session: Session, embedded: Backbone, cat: Image.Image) -> None:
    head = type(linear_head())(linear_head().module, (HOSTILE, "b"), EMBEDDED, summary())
    markup = Markup(draw_answers(ENGLISH, Subject(session, embedded, head, cat), Off(("blocks.1.1",), ())))
    assert HOSTILE in markup.texts
    assert "img" not in markup.elements


@pytest.mark.parametrize("values", [None, [], [None]])
def test_nothing_off_is_said(visitor: Visitor, values: Any) -> None:
    outputs = AnswerOutputs(*visitor.call("compare_answers", values, values))
    assert Markup(outputs.answers).texts == [LAB.nothing_off]


@pytest.mark.parametrize("value", ["none", "layer1.0", "", "blocks", 7, {"a": 1}, ["blocks.1.1"], HOSTILE, "9" * 5000])
@pytest.mark.parametrize("handler", ["draw_block", "compare_answers", "count_again"])
def test_an_unknown_block_is_refused(visitor: Visitor, handler: str, value: Any) -> None:
    values = {
        "draw_block": (value,),
        "compare_answers": (["blocks.1.1"], [value]),
        "count_again": ([value], []),
    }
    with pytest.raises(Refused, match=r"EfficientNet-Lite0 has no block .*\. Choose one of: blocks.1.1,"):
        visitor.call(handler, *values[handler])


def test_whatever_is_sent_is_read_as_names() -> None:
    assert parse_off(None, []) == Off((), ())
    assert parse_off("a", ["b", None, 7]) == Off(("a",), ("b", "7"))


@pytest.mark.parametrize("off", [([], []), ([], EMBEDDED_BLOCKS), (["blocks.1.1"], ["blocks.5.3"])], ids=str)
def test_the_validation_pictures_are_counted_again(
    visitor: Visitor, session: Session, server: Server, embedded: Backbone, off: tuple[list[str], list[str]]
) -> None:
    trained = session.results
    assert trained is not None
    view = switch_off(embedded, shortcuts=off[0], blocks=off[1])
    *_, after = measure_without(view, trained.dataset, trained.head, server.rooms.settings)
    assert isinstance(after, Accuracy)
    (counted,) = visitor.call("count_again", *off)
    before = trained.head.summary.val_correct
    assert cells(counted)[1:] == [
        [name, f"{each}/{after.count}", f"{100 * each / after.count:.1f}%", interval]
        for name, each, (*_, interval) in zip(
            (LAB.before, LAB.after), (before, after.correct), cells(counted)[1:], strict=True
        )
    ]
    assert cells(counted)[2][3] == f"{100 * after.low:.1f}–{100 * after.high:.1f}%"
    assert after.count == int(trained.features.chosen(Split.VALIDATION).sum())


def test_counting_tells_how_far_it_is_and_can_be_left(session: Session, server: Server) -> None:
    steps = count_again(server.rooms, session.ref, ["blocks.1.1"], None)
    assert LAB.counting.format(done=0, total=2) in next(steps)
    steps.close()  # type: ignore[attr-defined]  # as gradio does when the page is closed


def test_only_a_head_that_answers_and_was_trained_here_is_counted(
    visitor: Visitor, session: Session, visit: Visit
) -> None:
    session.change_state(lambda state: state.with_answers(own=False))
    opened = open_lab(visitor)
    assert opened.count_button["visible"] is False
    assert Markup(opened.answers.counted).texts == [LAB.count_hint]
    for each in (visitor, visit()):
        with pytest.raises(Refused) as refused:
            each.call("count_again", [], ["blocks.1.1"])
        assert str(refused.value) == ENGLISH.explain(NoHead())
    session.change_state(lambda state: state.with_answers(own=True))


@LANGUAGES
def test_a_network_without_such_blocks_says_why(words: Words) -> None:
    without = {name for name in ZOO if not name.startswith(("resnet", "efficientnet"))}
    assert words.inside.residual.absent_reasons.keys() == without
    for name in without:
        markup = draw_absent(words.inside.residual, name)
        assert find_spec(name).display_name in markup
        assert words.inside.residual.absent_reasons[name] in markup


def test_a_network_without_such_blocks_hides_the_lab(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.ui.inside.residual.list_blocks", lambda _: ())
    monkeypatch.setattr("demo.ui.inside.residual.draw_absent", lambda _, name: name)
    opened = open_lab(visitor)
    assert (opened.hint, opened.lab["visible"]) == (EMBEDDED, False)
    assert all(map(is_left, (opened.block, opened.drawn, *opened.off, *opened.answers, opened.count_button)))


def test_without_a_photograph_one_is_asked_for(visit: Visit) -> None:
    opened = open_lab(visit().without_photo())
    assert ENGLISH.photo.missing in opened.hint
    assert opened.lab["visible"] is False


def test_the_panel_speaks_chinese(visit: Visit) -> None:
    visitor = visit(language="zh")
    visitor.call("choose_photo", visitor.upload(CAT))
    (drawn,) = visitor.call("draw_block", "blocks.1.1")
    assert CHINESE.inside.residual.places["residual"] in drawn
    with pytest.raises(Refused, match="没有名为“none”的带捷径的模块"):
        visitor.call("draw_block", "none")


def test_two_visitors_switch_off_what_they_like(visitor: Visitor, visit: Visit, embedded: Backbone) -> None:
    other = visit()
    other.call("choose_photo", other.upload(CAT))
    before = {name: tensor.clone() for name, tensor in embedded.network.state_dict().items()}
    alone = other.call("compare_answers", [], ["blocks.2.1"])
    visitor.call("compare_answers", EMBEDDED_BLOCKS, EMBEDDED_BLOCKS)
    assert other.call("compare_answers", [], ["blocks.2.1"]) == alone
    assert all(tensor.equal(before[name]) for name, tensor in embedded.network.state_dict().items())
