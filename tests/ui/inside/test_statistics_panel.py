"""Activations in numbers as a visitor sees them: two pictures, or before and after fine-tuning, side by side."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from torch import nn

from demo.data.samples import EXAMPLES, find_example, read_example
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.zoo import EMBEDDED, StageLabel
from demo.settings import Settings
from demo.tasks.statistics import StageComparison, compare_stages
from demo.ui.inside.statistics import OWN, UNTUNED, Comparison, OpenedOutputs, StatisticsOutputs
from demo.ui.parts.errors import UnknownChoice
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH
from tests.networks import summary
from tests.served import Server
from tests.ui.inside.test_inside import alt_texts
from tests.ui.inside.test_residual_panel import cells
from tests.visitor import Markup, Refused, Visit, Visitor, fill

CAT, PALACE = find_example("cat").path, find_example("palace").path
WORDS = ENGLISH.inside.statistics
EXAMPLE_NAMES = [each.name for each in EXAMPLES]


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[Visitor]:
    visitor = Visitor(server.url)
    visitor.call("choose_photo", visitor.upload(CAT))
    yield visitor
    visitor.close()


@pytest.fixture(scope="module")
def session(visitor: Visitor, server: Server) -> Session:
    return server.rooms.sessions.attach(visitor.token)


@pytest.fixture(scope="module")
def beside_palace(embedded: Backbone, cat: Image.Image, settings: Settings) -> tuple[StageComparison, ...]:
    return compare_stages([(embedded, cat), (embedded, read_example(find_example("palace"), settings))])


def strongest(row: list[str]) -> list[int]:
    """Return the numbers of the channels that a row of the table names."""
    return [int(each.split(" ")[0]) for each in row[-1].split("; ")]


def open_comparison(visitor: Visitor, beside: Any) -> OpenedOutputs:
    return fill(OpenedOutputs, visitor.call("open_statistics", beside))


def compare(visitor: Visitor, beside: Any) -> StatisticsOutputs:
    return fill(StatisticsOutputs, visitor.call("draw_statistics", beside))


def bring(visitor: Visitor, second: Any) -> StatisticsOutputs:
    return fill(StatisticsOutputs, visitor.call("bring_second", OWN, second))


def plots_of(drawn: Comparison) -> list[Any]:
    return [drawn.low, drawn.middle, drawn.high]


def assert_shows(drawn: Comparison, stages: tuple[StageComparison, ...], other: str) -> None:
    """Compare what is drawn below the pictures with what was computed."""
    header, *rows = cells(drawn.table)
    assert header == list(WORDS.columns)
    assert [row[:2] for row in rows] == [
        [ENGLISH.inside.stage_names[label], name] for label in StageLabel for name in (WORDS.first_look, other)
    ]
    for row, each in zip(rows, (side for stage in stages for side in stage.sides), strict=True):
        assert int(row[2]) == each.num_channels
        assert [float(row[3]), float(row[4])] == pytest.approx([each.mean, each.std], rel=0.01)
        shares = [100 * each.zero_share, 100 * each.silent_share]
        assert [float(share.rstrip("%")) for share in row[5:7]] == pytest.approx(shares, abs=0.06)
        assert strongest(row) == [channel.channel_idx for channel in each.largest[:5]]
    charts = iter(cells(drawn.numbers))
    for plot, stage in zip(plots_of(drawn), stages, strict=True):
        assert plot["visible"] is True
        assert list(dict.fromkeys(name for *_, name in plot["value"]["data"])) == [WORDS.first_look, WORDS.second_look]
        counts = [y for _, y, _ in plot["value"]["data"]]
        assert counts == [count for side in stage.sides for count in side.counts]
        assert next(charts) == [WORDS.mean_axis, WORDS.first_look, other]
        for first, second in zip(*(side.counts for side in stage.sides), strict=True):
            assert next(charts)[1:] == [str(first), str(second)]


def test_an_example_stands_beside_the_photograph(visitor: Visitor, beside_palace: tuple[StageComparison, ...]) -> None:
    beside, (place, _, drawn) = open_comparison(visitor, None)
    assert [value for _, value in beside["choices"]] == [*EXAMPLE_NAMES, OWN]
    assert (beside["value"], place["visible"]) == ("palace", False)
    assert alt_texts(drawn.pictures) == [WORDS.picture_alt.format(name=name) for name in (WORDS.first_look, "palace")]
    assert len(Markup(drawn.pictures).values("download")) == 2
    assert_shows(drawn, beside_palace, "palace")


def test_what_was_chosen_stays(visitor: Visitor) -> None:
    assert open_comparison(visitor, "rocket").beside["value"] == "rocket"
    assert open_comparison(visitor, UNTUNED).beside["value"] == "palace"  # UNTUNED is not offered here


def test_a_second_picture_of_ones_own(visitor: Visitor, beside_palace: tuple[StageComparison, ...]) -> None:
    place, second, drawn = compare(visitor, OWN)
    assert (place["visible"], second, Markup(drawn.pictures).texts) == (True, None, [WORDS.no_second])
    assert (drawn.table, drawn.numbers) == ("", "")
    assert [plot["visible"] for plot in plots_of(drawn)] == [False, False, False]
    place, second, drawn = bring(visitor, visitor.upload(PALACE))
    assert place["visible"] is True
    assert second["url"].startswith("data:image/jpeg;base64,")
    assert_shows(drawn, beside_palace, WORDS.own)
    assert compare(visitor, OWN).comparison.numbers == drawn.numbers  # the picture is kept, though its file is not
    _, second, drawn = bring(visitor, None)
    assert (second, Markup(drawn.pictures).texts) == (None, [WORDS.no_second])


def test_a_second_picture_that_is_none_is_refused(visitor: Visitor) -> None:
    with pytest.raises(Refused, match="is a text file, not a picture"):
        visitor.call("bring_second", OWN, visitor.upload(Path(__file__)))


def test_before_fine_tuning_stands_beside_after(
    visitor: Visitor, session: Session, embedded: Backbone, cat: Image.Image
) -> None:
    tuned = {
        name: (tensor * 1.5).contiguous()
        for name, tensor in embedded.network.state_dict().items()
        if name.startswith("blocks.5.3.") and tensor.is_floating_point()
    }
    head = Head(nn.Linear(1280, 2), ("a", "b"), EMBEDDED, summary(), tuned)
    session.change_state(lambda state: state.with_head(head))
    try:
        beside, (_, _, drawn) = open_comparison(visitor, UNTUNED)
    finally:
        session.change_state(lambda state: state.without_head())
    assert beside["choices"][0] == [WORDS.untuned, UNTUNED]
    assert len(alt_texts(drawn.pictures)) == 1
    stages = compare_stages([(embedded.for_head(head), cat), (embedded, cat)])
    assert_shows(drawn, stages, WORDS.untuned)
    low, _, high = ([side.mean for side in stage.sides] for stage in stages)
    assert low[0] == low[1]
    assert high[0] != high[1]


@pytest.mark.parametrize("beside", ["dog", UNTUNED, "", None, 7, ["cat"], {"a": 1}])
def test_an_unknown_choice_is_refused(visitor: Visitor, beside: Any) -> None:
    with pytest.raises(Refused) as refused:
        visitor.call("draw_statistics", beside)
    known = ENGLISH.list_separator.join([*ENGLISH.predict.example_names.values(), WORDS.own])
    error = UnknownChoice(option=WORDS.beside, value=str(beside), known=known)
    assert str(refused.value) == ENGLISH.explain(error)


def test_without_a_photograph_one_is_asked_for(visit: Visit) -> None:
    opened = open_comparison(visit().without_photo(), None)
    assert opened.beside["value"] == "palace"
    assert ENGLISH.photo.missing in opened.statistics.comparison.pictures
    assert opened.statistics.comparison.table == ""


def test_the_panel_speaks_chinese(visit: Visit) -> None:
    visitor = visit(language="zh")
    visitor.call("choose_photo", visitor.upload(CAT))
    drawn = open_comparison(visitor, "flower").statistics.comparison
    assert [row[1] for row in cells(drawn.table)][1:3] == [CHINESE.inside.statistics.first_look, "花"]
