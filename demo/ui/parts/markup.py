"""Pieces of HTML: tables, pictures, bars. Whatever a visitor named is shown as text."""

import base64
import html
import io
import re
from collections.abc import Sequence

from PIL import Image

# A click on an element with data-pick tells the server which one it was. Enter and space click a button too.
PICK_SCRIPT = """element.addEventListener('click', (event) => {
  const picked = event.target.closest('[data-pick]');
  if (picked) trigger('click', {pick: picked.dataset.pick});
});"""


def draw_table(header: Sequence[object], rows: Sequence[Sequence[object]], *, css_class: str) -> str:
    """Return a table whose cells are shown as text, whatever they hold; a wide one scrolls by itself."""
    body = "".join(_draw_row(cells, "td") for cells in rows)
    head = _draw_row(header, "th")
    table = f'<table class="{css_class}"><thead>{head}</thead><tbody>{body}</tbody></table>'
    return draw_wide(table, ", ".join(filter(None, map(str, header))))


def draw_wide(table: str, name: str) -> str:
    """Return a table (HTML) that scrolls by itself where it is too wide; its name (text) is for screen readers."""
    return f'<div class="wide" role="region" aria-label="{html.escape(name)}">{table}</div>'


def draw_picture(jpeg: bytes, alt_text: str) -> str:
    """Return a picture that needs no request of its own."""
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" alt="{html.escape(alt_text)}">'


def draw_png(png: bytes, alt_text: str) -> str:
    """Return a picture whose pixels keep their colours and that needs no request of its own."""
    return f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}" alt="{html.escape(alt_text)}">'


def draw_figure(picture: str, caption: str, *, pick: str = "") -> str:
    """Return a picture (HTML) with a caption (text); one with a `pick` can be clicked."""
    inside = f"{picture}<figcaption>{html.escape(caption)}</figcaption>"
    if not pick:
        return f"<figure>{inside}</figure>"
    return f'<button type="button" class="figure" data-pick="{html.escape(pick)}">{inside}</button>'


def draw_download(png: bytes, caption: str, alt_text: str) -> str:
    """Return a picture with a caption (text) that a click downloads; it needs no request of its own."""
    return draw_saved(draw_png(png, alt_text), caption, alt_text, kind="png")


def draw_saved(image: str, caption: str, alt_text: str, *, kind: str) -> str:
    """Return a picture (HTML) with a caption (text) that a click downloads as a file of a kind."""
    link = f'<a href="#" download="{_name_file(alt_text)}.{kind}">{image}</a>'
    return f"<figure>{link}<figcaption>{html.escape(caption)}</figcaption></figure>"


def draw_save_link(caption: str, alt_text: str, *, kind: str) -> str:
    """Return a link (text) that downloads the picture of the figure in which it stands."""
    return f'<a href="#" download="{_name_file(alt_text)}.{kind}">{html.escape(caption)}</a>'


def draw_link(name: str, address: str) -> str:
    """Return a link (text) to another site, which opens beside the page."""
    return f'<a href="{html.escape(address)}" target="_blank" rel="noopener">{html.escape(name)}</a>'


def draw_way(query: str, name: str) -> str:
    """Return a link (text) to the place of this page that a query names; demo/ui/scripts/steps.js leads there."""
    place = query.rsplit("=", 1)[-1]
    return f'<a class="way" href="{html.escape(query)}" data-to="{html.escape(place)}">{html.escape(name)}</a>'


def draw_help(summary: str, text: str) -> str:
    """Return an explanation (HTML) that is folded behind its summary."""
    return f'<details class="help"><summary>{summary}</summary><p>{text}</p></details>'


def draw_status(sentence: str, *, kind: str = "running") -> str:
    """Return a sentence that a screen reader reads out when it changes."""
    return f'<p class="status {kind}" role="status" aria-live="polite">{html.escape(sentence)}</p>'


def encode_jpeg(picture: Image.Image, *, quality: int = 85) -> bytes:
    """Return a picture as a small JPEG."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def encode_png(picture: Image.Image) -> bytes:
    """Return a picture as a PNG: what is downloaded has the colours that were drawn."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _name_file(alt_text: str) -> str:
    return re.sub(r"\W+", "-", alt_text).strip("-").lower()[:60]


def _draw_row(cells: Sequence[object], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"
