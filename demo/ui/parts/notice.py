"""The line below the header that tells what happened while nobody was looking; it can be put away."""

import html

import gradio as gr

from demo.words.language import Words


def draw_notice(words: Words, *sentences: str) -> str:
    """Return sentences as a notice, as HTML; nothing where there are none."""
    if not sentences:
        return ""
    lines = "".join(f"<p>{html.escape(each)}</p>" for each in sentences)
    button = f'<button type="button" aria-label="{html.escape(words.notice.put_away)}">×</button>'
    return f'<div class="notice" role="status"><div>{lines}</div>{button}</div>'


def build_notice() -> gr.HTML:
    """Lay out the place of the notice; it takes no room while it is empty."""
    return gr.HTML("", padding=False, elem_id="notice")
