"""HTML that the panels of tab 3 share: their help, figures with captions, and what is said without a photograph."""

import html
from typing import NamedTuple

from PIL import Image

from demo.ui.parts.markup import draw_download, encode_png
from demo.words.inside import InsideWords
from demo.words.language import Words
from demo.words.panel import PanelWords


class Paper(NamedTuple):
    """The publication that a panel's idea is from."""

    name: str
    url: str


def draw_help(common: InsideWords, words: PanelWords, paper: Paper) -> str:
    """Return what a panel says about itself, its paper, and what to try."""
    return (
        f'<p class="help">{words.help} {common.paper.format(link=draw_link(paper))}</p>'
        f'<p class="try"><b>{common.try_this}</b> {words.try_this}</p>'
    )


def draw_link(paper: Paper) -> str:
    """Return a link to a paper; it opens beside the page."""
    return f'<a href="{paper.url}" target="_blank" rel="noopener">{html.escape(paper.name)}</a>'


def draw_figures(figures: list[str], *, size: str = "large") -> str:
    """Return figures (HTML) side by side; a size is a class of demo/ui/parts/style.py."""
    return f'<div class="figures {size}">{"".join(figures)}</div>'


def draw_captioned(picture: Image.Image, caption: str, alt_text: str) -> str:
    """Return a picture with a caption; a click on it downloads it as PNG."""
    return draw_download(encode_png(picture), caption, alt_text)


def draw_no_photo(words: Words) -> str:
    """Return the sentence that asks for a photograph."""
    return f'<p class="hint">{words.photo.missing}</p>'
