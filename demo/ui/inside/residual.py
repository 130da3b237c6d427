"""The residual lab: what a block adds to what comes in, and what is left of the answer without its parts."""

import base64
import html
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.data.dataset import Split
from demo.figures import colour
from demo.models.zoo import find_spec
from demo.tasks.blocks import Block, Layer, Shape, list_blocks
from demo.tasks.evaluate import Accuracy, measure
from demo.tasks.features import FeatureProgress
from demo.tasks.finetune import score
from demo.tasks.predict import predict
from demo.tasks.residual import BlockView, Signal, measure_without, switch_off, view_block
from demo.ui.handlers import bind_slow
from demo.ui.inside.panel import DRAW, Look, Paper, build_panel, draw_figures, draw_shown, look_into, say_no_photo
from demo.ui.parts.markup import draw_status, draw_table
from demo.visitors.errors import NoHead
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session, Trained
from demo.words.labs import ResidualWords
from demo.words.language import Words

PAPER = Paper("He et al. 2015", "https://arxiv.org/abs/1512.03385")
_SIDE_PX = 224
_MAX_NAME_LENGTH = 40
# What takes as long as there are pictures has a line of its own, so that quick answers never wait for it.
_COUNT: dict[str, Any] = {
    "api_visibility": "private",
    "concurrency_id": "count",
    "concurrency_limit": 1,
    "preprocess": False,
    "show_progress": "hidden",
}


class Off(NamedTuple):
    """The names of the blocks whose shortcut is switched off, and of those that are switched off as a whole."""

    shortcuts: tuple[str, ...]
    blocks: tuple[str, ...]

    def keep_only(self, names: Collection[str]) -> "Off":
        """Return what is left of it in a network with blocks of these names."""
        return Off(*(tuple(each for each in chosen if each in names) for chosen in self))


def open_residual(rooms: Rooms, ref: Ref, shown: int | None, block: Any, shortcuts: Any, blocks: Any) -> list[Any]:
    """Offer the blocks of the network in use, and draw what was chosen as far as the network has it."""
    session, words = rooms.sessions.find(ref), rooms.words
    with look_into(rooms, session, shown) as look:
        if look is None:
            return _say(gr.skip() if shown is None else say_no_photo(words), visible=None if shown is None else False)
        known = list_blocks(look.backbone)
        if not known:
            return _say(draw_absent(words.inside.residual, look.backbone.spec.name), visible=False)
        return _offer(words, session, look, known, block, parse_off(shortcuts, blocks))


def draw_block(rooms: Rooms, ref: Ref, shown: int | None, block: Any) -> Any:
    """Return, as HTML, what flows in a block, and the block with its shapes."""
    session = rooms.sessions.find(ref)
    with look_into(rooms, session, shown) as look:
        return gr.skip() if look is None else _draw_block(rooms.words.inside.residual, look, _parse_name(block))


def compare_answers(rooms: Rooms, ref: Ref, shown: int | None, shortcuts: Any, blocks: Any) -> list[Any]:
    """Return, as HTML, the best classes before and after; what was counted before belongs to another choice."""
    session = rooms.sessions.find(ref)
    with look_into(rooms, session, shown) as look:
        if look is None:
            return [gr.skip(), gr.skip()]
        return [draw_answers(rooms.words.inside.residual, look, parse_off(shortcuts, blocks)), ""]


def count_again(rooms: Rooms, ref: Ref, shortcuts: Any, blocks: Any) -> Iterator[str]:
    """Count the right answers to the validation pictures with parts switched off; may be closed at any yield."""
    session, words, off = rooms.sessions.find(ref), rooms.words.inside.residual, parse_off(shortcuts, blocks)
    state, trained = session.state, find_counted(session)
    if trained is None:
        raise NoHead()
    before = measure(score(trained.head, trained.features, Split.VALIDATION))
    with rooms.lend(state) as backbone:
        view = switch_off(backbone, shortcuts=off.shortcuts, blocks=off.blocks)
        for step in measure_without(view, trained.dataset, trained.head, rooms.settings):
            if isinstance(step, FeatureProgress):
                yield draw_status(words.counting.format(done=step.done, total=step.total))
            else:
                yield draw_counted(words, before, step, off)


def parse_off(shortcuts: Any, blocks: Any) -> Off:
    """Return what is to be switched off; whoever calls by hand may send anything, and `switch_off` knows the names."""
    return Off(_parse_names(shortcuts), _parse_names(blocks))


def find_counted(session: Session) -> Trained | None:
    """Return the head whose validation pictures can be counted: the one that answers, if it was trained here."""
    trained = session.results
    if trained is None or trained.head is not session.state.answering_head:
        return None
    return trained if trained.features.chosen(Split.VALIDATION).any() else None


def draw_absent(words: ResidualWords, backbone_name: str) -> str:
    """Return, as HTML, why a network has nothing to show."""
    sentence = words.absent.format(
        backbone=find_spec(backbone_name).display_name, reason=words.absent_reasons[backbone_name]
    )
    return f'<p class="hint">{sentence}</p>'


def draw_answers(words: ResidualWords, look: Look, off: Off) -> str:
    """Return the best classes of the whole network and of a view without parts, side by side."""
    if not any(off):
        return f'<p class="hint">{words.nothing_off}</p>'
    view = switch_off(look.backbone, shortcuts=off.shortcuts, blocks=off.blocks)
    before, after = (predict(each, look.photo, head=look.head).top for each in (look.backbone, view))
    rows = [
        (place, *(part for each in pair for part in (each.class_name, f"{100 * each.probability:.1f}%")))
        for place, pair in enumerate(zip(before, after, strict=True), 1)
    ]
    title = words.answers.format(**_count(off))
    return f"<h4>{title}</h4>{draw_table(words.answer_columns, rows, css_class='counts')}"


def draw_counted(words: ResidualWords, before: Accuracy, after: Accuracy, off: Off) -> str:
    """Return what the head gets right of the validation pictures, before and after."""
    sentence = words.counted.format(before=before.correct, after=after.correct, count=after.count, **_count(off))
    rows = [
        (
            name,
            f"{each.correct}/{each.count}",
            f"{100 * each.share:.1f}%",
            f"{100 * each.low:.1f}–{100 * each.high:.1f}%",
        )
        for name, each in ((words.before, before), (words.after, after))
    ]
    return draw_status(sentence, kind="trained") + draw_table(words.count_columns, rows, css_class="counts")


def draw_view(words: ResidualWords, block: Block, view: BlockView) -> str:
    """Return what flows in a block as maps on one scale, and its norms as a table."""
    places = _list_places(block, view)
    largest = max(float(signal.magnitude.max()) for _, _, signal in places)
    figures = [
        draw_shown(
            _draw_map(signal.magnitude, largest),
            words.map_caption.format(place=words.places[place], norm=signal.norm),
            words.map_alt.format(place=words.places[place], name=block.name),
        )
        for place, _, signal in places
    ]
    rows = [
        (words.places[place], _write_shape(shape), f"{signal.norm:.4g}", f"{signal.mean_norm:.4g}")
        for place, shape, signal in places
    ]
    ratio = words.ratio_infinite if np.isinf(view.ratio) else words.ratio.format(percent=100 * view.ratio)
    return (
        f'{draw_figures(figures)}<p class="answer">{ratio}</p><p class="hint">{words.scale.format(largest=largest)}</p>'
        f"{draw_table(words.norm_columns, rows, css_class='counts one-line')}"
    )


def draw_drawing(words: ResidualWords, block: Block) -> str:
    """Return a block as a drawing (SVG) in the colour of the text, with a text alternative and a link to keep it."""
    drawing = _Drawing(words, block).draw()
    encoded = base64.b64encode(drawing.encode()).decode()
    link = f'<a href="data:image/svg+xml;base64,{encoded}" download="{block.name}.svg">{words.save_drawing}</a>'
    return f'{drawing}<p class="hint">{words.drawing_help} {link}</p>'


def build_residual(rooms: Rooms, ref: gr.State) -> gr.State:
    """Lay out the panel and wire it; return its state."""
    words = rooms.words.inside.residual
    with build_panel(rooms, ref, words, PAPER, elem_id="residual-panel") as (_, shown):
        hint = gr.HTML("", padding=False, elem_id="residual-hint")
        with gr.Column(visible=False) as lab:
            block = gr.Dropdown([], label=words.block, interactive=True, elem_id="block")
            drawn = gr.HTML("", padding=False, elem_id="block-view")
            with gr.Row():
                shortcuts, blocks = (
                    gr.Dropdown([], multiselect=True, label=label, interactive=True, min_width=260, elem_id=elem_id)
                    for label, elem_id in ((words.shortcuts_off, "shortcuts-off"), (words.blocks_off, "blocks-off"))
                )
            answers = gr.HTML("", padding=False, elem_id="answers-without")
            count = gr.Button(words.count, elem_id="count-again")
            counted = gr.HTML("", padding=False, elem_id="counted")
    off = [shortcuts, blocks]
    counting = count.click(bind_slow(rooms, count_again), [ref, *off], counted, **_COUNT)
    opened = [hint, lab, block, drawn, *off, answers, count, counted]
    shown.change(bind_slow(rooms, open_residual), [ref, shown, block, *off], opened, cancels=[counting], **DRAW)
    block.input(bind_slow(rooms, draw_block), [ref, shown, block], drawn, **DRAW)
    gr.on(
        [each.input for each in off],
        bind_slow(rooms, compare_answers),
        [ref, shown, *off],
        [answers, counted],
        cancels=[counting],
        **DRAW,
    )
    return shown


def _say(sentence: Any, *, visible: bool | None) -> list[Any]:
    """Return what `open_residual` fills where there is nothing to look at; None leaves all as it is."""
    return [sentence, gr.skip() if visible is None else gr.Column(visible=visible), *[gr.skip()] * 7]


def _offer(words: Words, session: Session, look: Look, known: tuple[Block, ...], block: Any, off: Off) -> list[Any]:
    lab, names = words.inside.residual, [each.name for each in known]
    chosen, off = _parse_name(block) if block in names else names[0], off.keep_only(names)
    can_count = find_counted(session) is not None
    return [
        "",
        gr.Column(visible=True),
        gr.Dropdown([(_name_block(lab, each), each.name) for each in known], value=chosen),
        _draw_block(lab, look, chosen),
        *(gr.Dropdown(names, value=list(each)) for each in off),
        draw_answers(lab, look, off),
        gr.Button(visible=can_count),
        "" if can_count else f'<p class="hint">{lab.count_hint}</p>',
    ]


def _draw_block(words: ResidualWords, look: Look, name: str) -> str:
    view = view_block(look.backbone, name, look.photo)
    block = next(each for each in list_blocks(look.backbone) if each.name == name)
    return draw_view(words, block, view) + draw_drawing(words, block)


def _list_places(block: Block, view: BlockView) -> list[tuple[str, Shape, Signal]]:
    """Return the places of a block that differ: name, shape, and what flows there."""
    projected = [("shortcut", block.output_shape, view.shortcut)] if block.has_projection else []
    rectified = [("output", block.output_shape, view.output)] if block.ends_in_relu else []
    return [
        ("x", block.input_shape, view.x),
        *projected,
        ("residual", block.output_shape, view.residual),
        ("total", block.output_shape, view.total),
        *rectified,
    ]


def _draw_map(values: NDArray[np.float32], largest: float) -> Image.Image:
    """Draw magnitudes (H, W) from 0 to `largest`; the cells keep their edges."""
    return Image.fromarray(colour(values, largest)).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.NEAREST)


def _name_block(words: ResidualWords, block: Block) -> str:
    return words.block_choice.format(
        name=block.name, kind=words.kinds[block.kind.value], shape=_write_shape(block.output_shape)
    )


def _count(off: Off) -> dict[str, int]:
    """Return how much is off, by the placeholders of the sentences; a block that is named twice counts once."""
    return {name: len(set(names)) for name, names in off._asdict().items()}


def _parse_name(value: Any) -> str:
    return str(value)[:_MAX_NAME_LENGTH]


def _parse_names(values: Any) -> tuple[str, ...]:
    """Return the names that a control sends; None is what it sends where nothing was chosen."""
    listed = values if isinstance(values, list) else [values]
    return tuple(_parse_name(each) for each in listed if each is not None)


def _write_shape(shape: Shape) -> str:
    return " × ".join(map(str, shape))


class _Group(NamedTuple):
    """A convolution and what follows it without changing the shape."""

    layers: tuple[Layer, ...]

    @property
    def first(self) -> str:
        return self.layers[0].description

    @property
    def rest(self) -> str:
        return ", ".join(each.description for each in self.layers[1:])

    @property
    def shape(self) -> Shape:
        return self.layers[-1].shape


def _group(layers: tuple[Layer, ...]) -> list[_Group]:
    groups: list[_Group] = []
    for layer in layers:
        if groups and "conv" not in layer.description:
            groups[-1] = _Group((*groups[-1].layers, layer))
        else:
            groups.append(_Group((layer,)))
    return groups


class _Drawing:
    """A block, drawn from top to bottom: F on the left, the shortcut around it on the right; units are pixels.

    A bar below each group of layers is as long as it has channels, the widest the full box.
    """

    _WIDTH, _LEFT, _RIGHT = 340, (4, 196), (212, 336)  # of all, of the boxes of F, of those on the shortcut
    _BOX, _GAP, _SMALL = 46, 16, 26
    _MIDDLE, _SHORTCUT = 100, 274  # where F and the shortcut run down

    def __init__(self, words: ResidualWords, block: Block) -> None:
        self._words, self._block = words, block
        self._residual, self._projection = _group(block.layers), _group(block.projection)
        shapes = [block.input_shape, *(each.shape for each in (*self._residual, *self._projection))]
        self._most_channels = max(channels for channels, _, _ in shapes)
        self._parts: list[str] = []

    def draw(self) -> str:
        """Return the SVG, which needs nothing else."""
        bottom = self._draw_way_through()
        label = html.escape(_describe(self._words, self._block))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._WIDTH} {bottom}" role="img" '
            f'aria-label="{label}" style="width: 100%; max-width: {self._WIDTH}px; display: block" font-size="12" '
            f'font-family="system-ui, sans-serif" fill="none" stroke="currentColor">{"".join(self._parts)}</svg>'
        )

    def _draw_way_through(self) -> int:
        """Draw all from x down to what the block gives; return where it ends."""
        y = self._draw_small(2, f"x: {_write_shape(self._block.input_shape)}")
        start = y - self._SMALL // 2
        for group in self._residual:
            y = self._draw_group(y + self._GAP, group, self._LEFT)
            self._draw_line((self._MIDDLE, y - self._BOX - self._GAP), (self._MIDDLE, y - self._BOX))
        sum_y = y + self._GAP + 10
        self._draw_line((self._MIDDLE, y), (self._MIDDLE, sum_y - 10))
        self._draw_shortcut(start, sum_y)
        self._parts.append(f'<circle cx="{self._MIDDLE}" cy="{sum_y}" r="10"/>')
        self._write(self._MIDDLE, sum_y + 4, "+")
        y = sum_y + 10
        for text in ["ReLU"] * self._block.ends_in_relu + [_write_shape(self._block.output_shape)]:
            self._draw_line((self._MIDDLE, y), (self._MIDDLE, y + self._GAP))
            y = self._draw_small(y + self._GAP, text)
        return y + 2

    def _draw_shortcut(self, start: int, end: int) -> None:
        """Draw the way around F, with what is on it in its middle."""
        corners = f"{self._LEFT[1]},{start} {self._SHORTCUT},{start} {self._SHORTCUT},{end} {self._MIDDLE + 10},{end}"
        self._parts.append(f'<polyline points="{corners}"/>')
        y = (start + end - len(self._projection) * (self._BOX + self._GAP)) // 2
        for group in self._projection:
            y = self._draw_group(y, group, self._RIGHT) + self._GAP

    def _draw_group(self, top: int, group: _Group, sides: tuple[int, int]) -> int:
        left, right = sides
        middle, width = (left + right) // 2, right - left
        bar = round(width * group.shape[0] / self._most_channels)
        self._draw_box(left, top, width, self._BOX)
        self._parts.append(
            f'<rect x="{left}" y="{top + self._BOX - 5}" width="{bar}" height="5" rx="2" fill="#14b8a6" stroke="none"/>'
        )
        self._write(middle, top + 16, group.first)
        self._write(middle, top + 33, " · ".join(filter(None, (group.rest, _write_shape(group.shape)))))
        return top + self._BOX

    def _draw_small(self, top: int, text: str) -> int:
        left, right = self._LEFT
        self._draw_box(left, top, right - left, self._SMALL)
        self._write(self._MIDDLE, top + 17, text)
        return top + self._SMALL

    def _draw_box(self, left: int, top: int, width: int, height: int) -> None:
        self._parts.append(
            f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="5" stroke-opacity="0.5" '
            'fill="currentColor" fill-opacity="0.06"/>'
        )

    def _draw_line(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        (x1, y1), (x2, y2) = start, end
        self._parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>')

    def _write(self, x: int, y: int, text: str) -> None:
        self._parts.append(
            f'<text x="{x}" y="{y}" text-anchor="middle" fill="currentColor" stroke="none">{html.escape(text)}</text>'
        )


def _describe(words: ResidualWords, block: Block) -> str:
    """Return what the drawing of a block shows, as a sentence."""
    residual, projection = (
        "; ".join(
            words.drawing_layer.format(
                layers=", ".join(layer.description for layer in group.layers), shape=_write_shape(group.shape)
            )
            for group in _group(layers)
        )
        for layers in (block.layers, block.projection)
    )
    return words.drawing_alt.format(
        name=block.name,
        input=_write_shape(block.input_shape),
        layers=residual,
        shortcut=projection or words.drawing_identity,
        end=words.drawing_ends["relu" if block.ends_in_relu else "added"],
        output=_write_shape(block.output_shape),
    )
