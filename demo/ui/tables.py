"""Tables as HTML."""

import html
from collections.abc import Sequence


def draw_table(header: Sequence[object], rows: Sequence[Sequence[object]], *, css_class: str) -> str:
    """Return a table whose cells are shown as text, whatever they hold; a wide one scrolls by itself."""
    body = "".join(_draw_row(cells, "td") for cells in rows)
    head = _draw_row(header, "th")
    return f'<div class="wide"><table class="{css_class}"><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def _draw_row(cells: Sequence[object], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"
