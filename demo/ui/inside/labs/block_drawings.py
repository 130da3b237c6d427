"""The blocks that put maps side by side, drawn as SVG: Inception's, and the dense one."""

from collections.abc import Iterable, Sequence

from demo.tasks.block_designs import BlockDesign, Conv, DesignKind
from demo.ui.inside.block_markup import Canvas, draw_layers, write_shape
from demo.ui.parts.chart import PALETTE
from demo.words.inside import InsideWords

_WIDTH, _MIDDLE, _BOX, _BAR = 340, 170, 46, 12
_COLUMNS = ((2, 81), (88, 167), (174, 253), (260, 338))  # of Inception's branches
_LEFT, _AROUND = (4, 196), 290  # the dense block's layers, and where the maps before them run past


def draw_design(words: InsideWords, design: BlockDesign) -> str:
    """Return a design as an SVG with its text alternative."""
    match design.kind:
        case DesignKind.INCEPTION:
            return _draw_inception(words, design)
        case DesignKind.DENSE:
            return _draw_dense(words, design)
        case _:
            return draw_layers(words.residual, design.as_block())


def _draw_inception(words: InsideWords, design: BlockDesign) -> str:
    canvas = Canvas(_WIDTH)
    y = canvas.box((74, 266), 2, f"x: {write_shape(design.shape(design.width))}")
    fork = y + Canvas.GAP // 2
    join = fork + Canvas.GAP // 2 + 2 * (_BOX + Canvas.GAP)
    centres = [(left + right) // 2 for left, right in _COLUMNS]
    for rail in (fork, join):
        canvas.line((centres[0], rail), (centres[-1], rail))
    canvas.line((_MIDDLE, y), (_MIDDLE, fork))
    for sides, centre, boxes in zip(_COLUMNS, centres, _inception_boxes(design), strict=True):
        y = fork
        for lines in boxes:
            canvas.line((centre, y), (centre, y + Canvas.GAP // 2))
            y = canvas.box(sides, y + Canvas.GAP // 2, *lines, height=_BOX)
        canvas.line((centre, y), (centre, join))
    canvas.line((_MIDDLE, join), (_MIDDLE, join + Canvas.GAP))
    y = join + Canvas.GAP
    _draw_parts(canvas, y, [branch[-1].num_out for branch in design.branches], design.num_out, sides=(74, 266))
    y = canvas.box((74, 266), y + _BAR + 4, write_shape(design.shape(design.num_out)))
    return canvas.finish(y + 2, _describe(words.blocks.inception_alt, design))


def _inception_boxes(design: BlockDesign) -> Iterable[list[tuple[str, str]]]:
    """Yield the boxes of each branch, two lines each; the pooling of the last has no weights."""
    *branches, last = design.branches
    for branch in branches:
        yield [_write_conv(conv) for conv in branch]
    yield [("3×3 pool", f"→ {design.width}"), *map(_write_conv, last)]


def _draw_dense(words: InsideWords, design: BlockDesign) -> str:
    canvas, middle, gap = Canvas(_WIDTH), sum(_LEFT) // 2, Canvas.GAP
    top = canvas.box(_LEFT, 2, f"x: {write_shape(design.shape(design.width))}") + 4
    parts = [design.width, *(layer[-1].num_out for layer in design.branches)]
    tops = [top + number * (_BAR + 2 * gap + _BOX) for number in range(len(parts))]
    ends = [_draw_parts(canvas, each, parts[: number + 1], design.num_out) for number, each in enumerate(tops)]
    for number, layer in enumerate(design.branches):
        (here, there), below = tops[number : number + 2], tops[number] + _BAR + gap
        canvas.line((middle, below - gap), (middle, below))
        text = ", ".join(conv.description for conv in layer)
        canvas.line((middle, canvas.box(_LEFT, below, text, f"+ {parts[number + 1]}", height=_BOX)), (middle, there))
        start, end = (ends[number], here + _BAR // 2), (ends[number + 1], there + _BAR // 2)
        canvas.line(start, (_AROUND, start[1]), (_AROUND, end[1]), end)
        canvas.write((start[0] + _AROUND) // 2, here + 3, str(sum(parts[: number + 1])))
    bottom = canvas.box(_LEFT, tops[-1] + _BAR + 4, write_shape(design.shape(design.num_out)))
    return canvas.finish(bottom + 2, _describe(words.blocks.dense_alt, design))


def _draw_parts(canvas: Canvas, top: int, parts: Sequence[int], num_all: int, sides: tuple[int, int] = _LEFT) -> int:
    """Draw numbers of channels as pieces of a bar, a pixel apart, and return where it ends."""
    x, per_channel = float(sides[0]), (sides[1] - sides[0]) / num_all
    for number, num_channels in enumerate(parts):
        length = per_channel * num_channels
        canvas.bar(round(x), top, round(length) - 1, height=_BAR, fill=PALETTE[number % len(PALETTE)])
        x += length
    return round(x)


def _write_conv(conv: Conv) -> tuple[str, str]:
    return conv.description, f"→ {conv.num_out}"


def _describe(sentence: str, design: BlockDesign) -> str:
    branches = "; ".join(", ".join(" ".join(_write_conv(conv)) for conv in branch) for branch in design.branches)
    return sentence.format(
        input=write_shape(design.shape(design.width)),
        branches=branches,
        output=write_shape(design.shape(design.num_out)),
    )
