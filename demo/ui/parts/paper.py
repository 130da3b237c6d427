"""A document of its own, without gradio: it asks for no other file, and prints on A4."""

import html
from pathlib import Path

from demo.words.language import Words

STYLE = (Path(__file__).parents[1] / "styles" / "paper.css").read_text(encoding="utf-8")


def draw_paper(words: Words, title: str, body: str, *, script: str = "") -> str:
    """Return an HTML document.

    Args:
        words: Those of its language.
        title: Text.
        body: HTML.
        script: What runs at its end; none if empty.
    """
    ran = f"<script>{script}</script>" if script else ""
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>{body}{ran}</body></html>"
    )


def draw_lines(names: tuple[str, ...]) -> str:
    """Return names (text), each with a line to write on."""
    return f'<p class="fill">{"".join(f"<span>{html.escape(name)}</span>" for name in names)}</p>'
