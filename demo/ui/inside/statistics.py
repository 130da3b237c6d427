"""The activations of the photograph in numbers, beside those of another picture or of before fine-tuning."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.data.errors import NoImage
from demo.data.images import read_image
from demo.data.samples import EXAMPLES, find_example, read_example
from demo.figures import curve_points
from demo.models.backbone import Backbone
from demo.models.zoo import StageLabel
from demo.tasks.statistics import StageComparison, StageStatistics, compare_stages
from demo.ui.handlers import Cost, costs
from demo.ui.inside.panel import Paper, Subject, build_panel, draw_captioned, draw_figures, draw_numbers, needs_photo
from demo.ui.parts.chart import build_line_plot
from demo.ui.parts.errors import UnknownChoice
from demo.ui.parts.markup import draw_table
from demo.ui.parts.picture import build_picture
from demo.ui.photo import read_picture_script
from demo.ui.server.uploads import taken_file
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.inside import InsideWords
from demo.words.labs import StatisticsWords
from demo.words.language import Words

PAPER = Paper("Glorot et al. 2011", "https://proceedings.mlr.press/v15/glorot11a.html")
UNTUNED, OWN = "untuned", "own"
_DEFAULT = "palace"  # beside the first example, with which the page opens
_NUM_STRONGEST = 5
_SIDE_PX = 224


class Beside(NamedTuple):
    """What the photograph is compared with: a network, a picture, and what both together are called."""

    backbone: Backbone
    picture: Image.Image
    name: str


class Comparison(NamedTuple):
    """What the network sees of both, the table, a plot for each stage, and the numbers of the plots."""

    pictures: Any
    table: Any
    low: Any
    middle: Any
    high: Any
    numbers: Any


class StatisticsOutputs(NamedTuple):
    """The second picture with the place that shows or hides it, and the comparison."""

    place: Any
    second: Any
    comparison: Comparison


class OpenedOutputs(NamedTuple):
    """The choice of what to compare with, and what that fills."""

    beside: Any
    statistics: StatisticsOutputs


@costs(Cost.COMPUTE)
def open_statistics(rooms: Rooms, ref: Ref, beside: Any) -> OpenedOutputs:
    """Offer what there is to compare with, and compare with what was chosen if it is still there."""
    choices = list_choices(rooms.words, rooms.sessions.find(ref))
    chosen = beside if beside in [value for _, value in choices] else _DEFAULT
    return OpenedOutputs(gr.Dropdown(choices, value=chosen), draw_statistics(rooms, ref, chosen))


@costs(Cost.COMPUTE)
def bring_second(rooms: Rooms, ref: Ref, beside: Any, second: dict[str, Any] | None) -> StatisticsOutputs:
    """Keep a picture of the visitor's own to compare with, or take it away, and compare."""
    picture = None
    if second is not None:
        with taken_file(second, NoImage) as (path, name):
            picture = read_image(path, rooms.settings, name=name)
    rooms.sessions.find(ref).choose_second(picture)
    return draw_statistics(rooms, ref, beside)


@costs(Cost.COMPUTE)
def draw_statistics(rooms: Rooms, ref: Ref, beside: Any) -> StatisticsOutputs:
    """Show the second picture where that is chosen, and compare."""
    second = rooms.sessions.find(ref).photos.second
    return StatisticsOutputs(gr.Column(visible=beside == OWN), second, _compare(rooms, ref, beside))


def list_choices(words: Words, session: Session) -> list[tuple[str, str]]:
    """Return names and values of what the photograph can be compared with; before fine-tuning where that differs."""
    head, own_words = session.state.answering_head, words.inside.statistics
    untuned = [(own_words.untuned, UNTUNED)] if head and head.tuned else []
    examples = [(words.predict.example_names[each.name], each.name) for each in EXAMPLES]
    return [*untuned, *examples, (own_words.own, OWN)]


def check_choice(words: Words, session: Session, beside: Any) -> None:
    """Refuse what cannot be compared with.

    Raises:
        UnknownChoice: If it is none of what `list_choices` returns.
    """
    names = {value: name for name, value in list_choices(words, session)}
    if not isinstance(beside, str) or beside not in names:
        known = words.list_separator.join(names.values())
        raise UnknownChoice(option=words.inside.statistics.beside, value=str(beside)[:20], known=known)


@contextmanager
def find_beside(rooms: Rooms, subject: Subject, beside: str) -> Iterator[Beside]:
    """Lend what the photograph is compared with.

    Raises:
        NoImage: If that is a picture of the visitor's own, and there is none.
    """
    name = {value: name for name, value in list_choices(rooms.words, subject.session)}[beside]
    if beside == UNTUNED:
        with rooms.backbones.lend(subject.backbone.spec.name) as shared:
            yield Beside(shared, subject.photo, name)
        return
    if beside == OWN:
        if (second := subject.session.photos.second) is None:
            raise NoImage()
        yield Beside(subject.backbone, second, name)
        return
    yield Beside(subject.backbone, read_example(find_example(beside), rooms.settings), name)


def draw_pictures(words: StatisticsWords, subject: Subject, other: Beside) -> str:
    """Return what the network sees of the two pictures; of one where both are the same."""
    pictures = [(subject.photo, words.first_look)]
    if other.picture is not subject.photo:
        pictures.append((other.picture, other.name))
    return draw_figures(
        [
            draw_captioned(
                subject.backbone.draw_input(picture).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.LANCZOS),
                name,
                words.picture_alt.format(name=name),
            )
            for picture, name in pictures
        ]
    )


def draw_table_of(words: Words, stages: tuple[StageComparison, ...], names: tuple[str, str]) -> str:
    """Return the statistics of both networks and pictures, stage by stage."""
    rows = [
        (words.inside.stage_names[stage.label], name, *_write_statistics(words, each))
        for stage in stages
        for name, each in zip(names, stage.sides, strict=True)
    ]
    table = draw_table(words.inside.statistics.columns, rows, css_class="counts one-line")
    return f'{table}<p class="hint">{words.inside.statistics.silent_help}</p>'


def build_statistics(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words.inside.statistics
    with build_panel(rooms, ref, words, PAPER, elem_id="statistics-panel") as panel:
        beside = gr.Dropdown([], label=words.beside, interactive=True, elem_id="beside")
        with gr.Column(visible=False) as place:
            second = build_picture(
                label=words.second,
                alt_text=words.second_alt,
                format="jpeg",
                sources=["upload", "clipboard"],
                buttons=["fullscreen"],
                height=220,
                elem_id="second-picture",
            )
        pictures = gr.HTML("", padding=False, elem_id="compared-pictures")
        gr.HTML(f'<p class="hint">{words.histogram_help}</p>', padding=False)
        with gr.Row():
            plots = {label.value: _build_plot(rooms.words.inside, label) for label in StageLabel}
        table = gr.HTML("", padding=False, elem_id="statistics")
        numbers = gr.HTML("", padding=False, elem_id="statistics-numbers")
    outputs = StatisticsOutputs(place, second, Comparison(pictures, table, **plots, numbers=numbers))
    panel.listen(panel.renewed, open_statistics, [beside], OpenedOutputs(beside, outputs))
    panel.listen(beside.input, draw_statistics, [beside], outputs)
    panel.listen(second.input, bring_second, [beside, second], outputs, js=read_picture_script(second))


def _blank(sentence: str) -> Comparison:
    """Return a comparison of nothing, with a sentence (HTML) that says why."""
    hidden = gr.LinePlot(visible=False)
    return Comparison(sentence, "", low=hidden, middle=hidden, high=hidden, numbers="")


@needs_photo(Comparison, without_photo=_blank)
def _compare(rooms: Rooms, subject: Subject, beside: Any) -> Comparison:
    words = rooms.words
    check_choice(words, subject.session, beside)
    if beside == OWN and subject.session.photos.second is None:
        return _blank(f'<p class="hint">{words.inside.statistics.no_second}</p>')
    with find_beside(rooms, subject, beside) as other:
        stages = compare_stages([(subject.backbone, subject.photo), (other.backbone, other.picture)])
        pictures = draw_pictures(words.inside.statistics, subject, other)
    names = (words.inside.statistics.first_look, other.name)
    plots = {stage.label.value: _draw_plot(words.inside.statistics, stage) for stage in stages}
    numbers = _draw_numbers(words.inside, stages, names)
    return Comparison(pictures, draw_table_of(words, stages, names), **plots, numbers=numbers)


def _build_plot(words: InsideWords, label: StageLabel) -> gr.LinePlot:
    with gr.Column(min_width=220):
        title = words.statistics.histogram.format(stage=words.stage_names[label])
        gr.HTML(f"<h3>{title}</h3>", padding=False)
        return build_line_plot(
            (words.statistics.first_look, words.statistics.second_look),
            x="mean",
            y="count",
            x_title=words.statistics.mean_axis,
            y_title=words.statistics.count_axis,
            height=240,
            buttons=["fullscreen", "export"],
            elem_id=f"histogram-{label}",
        )


def _write_statistics(words: Words, each: StageStatistics) -> list[str]:
    strongest = words.list_separator.join(
        words.inside.statistics.strongest.format(channel=channel.channel_idx, strength=channel.strength)
        for channel in each.largest[:_NUM_STRONGEST]
    )
    return [
        f"{each.num_channels}",
        f"{each.mean:.3g}",
        f"{each.std:.3g}",
        f"{100 * each.zero_share:.1f}%",
        f"{100 * each.silent_share:.1f}%",
        strongest,
    ]


def _draw_plot(words: StatisticsWords, stage: StageComparison) -> gr.LinePlot:
    middles = (stage.edges[:-1] + stage.edges[1:]) / 2
    # gradio's plot keeps the names of its first curves, so they do not change with what is compared.
    curves = {
        name: list(zip(middles.tolist(), each.counts.tolist(), strict=True))
        for name, each in zip((words.first_look, words.second_look), stage.sides, strict=True)
    }
    return gr.LinePlot(value=curve_points("mean", "count", curves), visible=True)


def _draw_numbers(words: InsideWords, stages: tuple[StageComparison, ...], names: tuple[str, str]) -> str:
    own_words, tables = words.statistics, ""
    for stage in stages:
        bins = [own_words.bin.format(low=low, high=high) for low, high in pairwise(stage.edges)]
        rows = list(zip(bins, *(each.counts for each in stage.sides), strict=True))
        title = own_words.histogram.format(stage=words.stage_names[stage.label])
        tables += f"<h3>{title}</h3>{draw_table((own_words.mean_axis, *names), rows, css_class='counts')}"
    return draw_numbers(words, tables)
