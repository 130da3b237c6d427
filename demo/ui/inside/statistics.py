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
from demo.ui.handlers import bind_slow
from demo.ui.inside.panel import DRAW, Look, Paper, build_panel, draw_figures, draw_shown, look_into, say_no_photo
from demo.ui.parts.errors import UnknownChoice
from demo.ui.parts.markup import draw_table
from demo.ui.parts.picture import build_picture
from demo.ui.photo import read_picture_script
from demo.ui.server.uploads import taken_file
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words

PAPER = Paper("Glorot et al. 2011", "https://proceedings.mlr.press/v15/glorot11a.html")
UNTUNED, OWN = "untuned", "own"
_DEFAULT = EXAMPLES[1].name
_NUM_STRONGEST = 5
_SIDE_PX = 224


class Beside(NamedTuple):
    """What the photograph is compared with: a network, a picture, and what both together are called."""

    backbone: Backbone
    picture: Image.Image
    name: str


def open_statistics(rooms: Rooms, ref: Ref, shown: int | None, beside: Any) -> list[Any]:
    """Offer what there is to compare with, and compare with what was chosen if it is still there."""
    session = rooms.sessions.find(ref)
    choices = list_choices(rooms.words, session)
    chosen = beside if beside in [value for _, value in choices] else _DEFAULT
    offered = gr.skip() if shown is None else gr.Dropdown(choices, value=chosen)
    return [offered, *draw_statistics(rooms, ref, shown, chosen)]


def bring_second(rooms: Rooms, ref: Ref, shown: int | None, beside: Any, second: dict[str, Any] | None) -> list[Any]:
    """Keep a picture of the visitor's own to compare with, or take it away, and compare."""
    picture = None
    if second is not None:
        with taken_file(second, NoImage) as (path, name):
            picture = read_image(path, rooms.settings, name=name)
    rooms.sessions.find(ref).choose_second(picture)
    return draw_statistics(rooms, ref, shown, beside)


def draw_statistics(rooms: Rooms, ref: Ref, shown: int | None, beside: Any) -> list[Any]:
    """Compare; return the second picture's place and itself, what both looks see, table, plots, numbers."""
    session, words = rooms.sessions.find(ref), rooms.words
    upload = [gr.skip()] * 2 if shown is None else [gr.Column(visible=beside == OWN), session.second]
    with look_into(rooms, session, shown) as look:
        if look is None:
            return [gr.skip()] * 8 if shown is None else [*upload, say_no_photo(words), *_show_nothing()]
        check_choice(words, session, beside)
        if beside == OWN and session.second is None:
            return [*upload, f'<p class="hint">{words.inside.statistics.no_second}</p>', *_show_nothing()]
        with find_beside(rooms, session, look, beside) as other:
            stages = compare_stages([(look.backbone, look.photo), (other.backbone, other.picture)])
            pictures = draw_pictures(words, look, other)
    return [*upload, pictures, *draw_stages(words, stages, other.name)]


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
def find_beside(rooms: Rooms, session: Session, look: Look, beside: str) -> Iterator[Beside]:
    """Lend what the photograph is compared with.

    Raises:
        NoImage: If that is a picture of the visitor's own, and there is none.
    """
    words = rooms.words
    name = {value: name for name, value in list_choices(words, session)}[beside]
    if beside == UNTUNED:
        with rooms.backbones.lend(look.backbone.spec.name) as shared:
            yield Beside(shared, look.photo, name)
        return
    if beside == OWN:
        if (second := session.second) is None:
            raise NoImage()
        yield Beside(look.backbone, second, name)
        return
    yield Beside(look.backbone, read_example(find_example(beside), rooms.settings), name)


def draw_pictures(words: Words, look: Look, other: Beside) -> str:
    """Return what the network sees of the two pictures; of one where both are the same."""
    seen = [(look.photo, words.inside.statistics.first_look)]
    if other.picture is not look.photo:
        seen.append((other.picture, other.name))
    return draw_figures(
        [
            draw_shown(
                look.backbone.draw_input(picture).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.LANCZOS),
                name,
                words.inside.statistics.picture_alt.format(name=name),
            )
            for picture, name in seen
        ]
    )


def draw_stages(words: Words, stages: tuple[StageComparison, ...], other_name: str) -> list[Any]:
    """Return the table of both looks, a plot for each stage, and the numbers of the plots."""
    own_words = words.inside.statistics
    names = (own_words.first_look, other_name)
    rows = [
        (words.inside.stage_names[stage.label], name, *_write_statistics(words, each))
        for stage in stages
        for name, each in zip(names, stage.sides, strict=True)
    ]
    table = draw_table(own_words.columns, rows, css_class="counts one-line")
    note = f'<p class="hint">{own_words.silent_help}</p>'
    return [table + note, *(_draw_plot(words, stage) for stage in stages), _draw_numbers(words, stages, names)]


def build_statistics(rooms: Rooms, ref: gr.State) -> gr.State:
    """Lay out the panel and wire it; return its state."""
    words = rooms.words.inside.statistics
    with build_panel(rooms, ref, words, PAPER, elem_id="statistics-panel") as (_, shown):
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
        table = gr.HTML("", padding=False, elem_id="statistics")
        gr.HTML(f'<p class="hint">{words.histogram_help}</p>', padding=False)
        with gr.Row():
            plots = [_build_plot(rooms.words, label) for label in StageLabel]
        numbers = gr.HTML("", padding=False, elem_id="statistics-numbers")
    drawn = [place, second, pictures, table, *plots, numbers]
    inputs = [ref, shown, beside]
    shown.change(bind_slow(rooms, open_statistics), inputs, [beside, *drawn], **DRAW)
    beside.input(bind_slow(rooms, draw_statistics), inputs, drawn, **DRAW)
    bring = bind_slow(rooms, bring_second)
    second.input(bring, [*inputs, second], drawn, js=read_picture_script(second), **DRAW)
    return shown


def _build_plot(words: Words, label: StageLabel) -> Any:
    own_words = words.inside.statistics
    with gr.Column(min_width=280):
        title = own_words.histogram.format(stage=words.inside.stage_names[label])
        gr.HTML(f"<h4>{title}</h4>", padding=False)
        return gr.LinePlot(
            x="mean",
            y="count",
            color="split",
            x_title=own_words.mean_axis,
            y_title=own_words.count_axis,
            color_title=" ",
            height=240,
            visible=False,
            buttons=["fullscreen", "export"],
            elem_id=f"histogram-{label}",
        )


def _show_nothing() -> list[Any]:
    return ["", *[gr.LinePlot(visible=False)] * len(StageLabel), ""]


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


def _draw_plot(words: Words, stage: StageComparison) -> Any:
    own_words, middles = words.inside.statistics, (stage.edges[:-1] + stage.edges[1:]) / 2
    # The plot settles its curves by what it is first given: their names do not change with what is compared.
    curves = {
        name: list(zip(middles.tolist(), each.counts.tolist(), strict=True))
        for name, each in zip((own_words.first_look, own_words.second_look), stage.sides, strict=True)
    }
    return gr.LinePlot(value=curve_points("mean", "count", curves), visible=True)


def _draw_numbers(words: Words, stages: tuple[StageComparison, ...], names: tuple[str, str]) -> str:
    own_words, tables = words.inside.statistics, ""
    for stage in stages:
        bins = [own_words.bin.format(low=low, high=high) for low, high in pairwise(stage.edges)]
        rows = list(zip(bins, *(each.counts for each in stage.sides), strict=True))
        title = own_words.histogram.format(stage=words.inside.stage_names[stage.label])
        tables += f"<h4>{title}</h4>{draw_table((own_words.mean_axis, *names), rows, css_class='counts')}"
    return f"<details><summary>{own_words.numbers}</summary>{tables}</details>"
