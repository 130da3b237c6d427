"""The documents beside the page, in each language, with the ways between them; they are drawn once."""

import base64
import hashlib
from pathlib import Path

from demo.ui.papers.links import draw_links
from demo.ui.papers.quiz import draw_quiz
from demo.ui.papers.worksheet import draw_worksheet
from demo.ui.parts.paper import STYLE, draw_paper
from demo.ui.server.assets import Answers, make_answers
from demo.ui.server.gate import frame_ancestors
from demo.words.language import CHINESE, ENGLISH, Words

_SCRIPT = (Path(__file__).parents[1] / "scripts" / "paper.js").read_text(encoding="utf-8")


def draw_papers() -> dict[str, str]:
    """Return all documents, by their paths."""
    return {path: text for words in (ENGLISH, CHINESE) for path, text in _draw_language(words).items()}


def make_papers(frames: tuple[str, ...] = ()) -> dict[str, Answers]:
    """Return the answers with all documents, which may run no script but their own, by their paths.

    Args:
        frames: Other sites that may show them in a frame.
    """
    headers = {"Content-Security-Policy": _policy(frames), "Referrer-Policy": "same-origin"}
    headers |= {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return {path: make_answers(text, "text/html", headers) for path, text in draw_papers().items()}


def draw_ways(words: Words) -> str:
    """Return links to the documents from the page, as HTML."""
    folder = "" if words.language == ENGLISH.language else "zh/"
    links = (f'<a href="{folder}{name}" target="_blank">{label}</a>' for name, label in words.teacher.names.items())
    return f'<nav class="papers" aria-label="{words.teacher.ways}">{" · ".join(links)}</nav>'


def _draw_language(words: Words) -> dict[str, str]:
    is_english = words.language == ENGLISH.language
    folder, home, root = ("/", "./", "./") if is_english else ("/zh/", "../zh", "../")
    documents = {
        "teacher": (words.teacher.title, draw_links(words, home, root)),
        "worksheet": (words.teacher.worksheet.title, draw_worksheet(words)),
        "quiz": (words.quiz.title, draw_quiz(words, home)),
    }
    return {
        folder + name: draw_paper(words, title, f"{_draw_nav(words, name, home)}<h1>{title}</h1>{body}", script=_SCRIPT)
        for name, (title, body) in documents.items()
    }


def _draw_nav(words: Words, here: str, home: str) -> str:
    """Return the ways from one document to the page, to the others, and to its twin in the other language."""
    other = CHINESE if words.language == ENGLISH.language else ENGLISH
    twin = f"zh/{here}" if other is CHINESE else f"../{here}"
    links = [f'<a href="{home}">{words.teacher.home}</a>']
    links += [f'<a href="{name}">{label}</a>' for name, label in words.teacher.names.items() if name != here]
    links.append(f'<a href="{twin}" lang="{other.language}">{other.page.language}</a>')
    return f'<nav class="on-screen" aria-label="{words.teacher.ways}">{" · ".join(links)}</nav>'


def _policy(frames: tuple[str, ...]) -> str:
    style, script = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (STYLE, _SCRIPT))
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src 'sha256-{style}'",
            f"script-src 'sha256-{script}'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            frame_ancestors(frames),
        ]
    )
