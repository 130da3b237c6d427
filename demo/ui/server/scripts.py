"""The scripts of the page, which stand before gradio's: the files of demo/ui/scripts, and what they are told.

Those of demo/ui/scripts/shrink are one file of their own, which a worker runs: it is fetched when it is needed first.
"""

import json
import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from demo.data.errors import ArchiveBytesExceeded, ImageBytesExceeded, TooManyPictures
from demo.sentences import Plural
from demo.settings import MEGABYTE, Settings
from demo.ui.server.errors import RequestTooLarge, ServerEnding
from demo.visitors.errors import SessionExpired
from demo.words.language import CHINESE, ENGLISH, Words

_SCRIPTS = Path(__file__).parents[1] / "scripts"
# In this order; each stands in a scope of its own, and shares `demo`.
_FILES = (
    "connection",
    "requests",
    "stage",
    "shrink",
    "files",
    "notices",
    "api",
    "first",
    "session",
    "sight",
    "changes",
    "gradio",
    "view",
    "accessible",
    "tables",
    "steps",
    "bar",
    "bench",
    "menu",
    "address",
    "lesson",
)
# What can wait until the document is there, in this order; glossary.js, which comes with its terms, can too.
_LATER = ("keyboard", "camera", "print", "save", "later/keepsake", "later/resume")
_SHRINKER = ("kinds", "pictures", "zips", "choice", "work")
_COMMENT = re.compile(r"^ *(//|/\*\*).*\n", re.M)  # a line of its own, which no browser needs
_DAY_S = 86_400.0  # time beyond a session's for which a kept head waits for its tab
_LIGHT_BYTES = 200_000  # most of a picture that is sent as it is, and of one that the browser draws anew
_INFLATED_BYTES = 64 * MEGABYTE  # largest file that the browser unpacks or draws anew
_BEGIN = """window.demo = %s;
Object.defineProperty(demo, "words", {
  get: () => demo.languages[document.documentElement.lang.startsWith("zh") ? "zh-Hans" : "en"],
});"""


def scripts(settings: Settings, shrinker: str) -> str:
    """Return the one script of every page, as HTML.

    Args:
        settings: Limits that the scripts know of.
        shrinker: Address of what `shrinker_script` returns.
    """
    told = {
        "shrinker": shrinker,
        "limits": {
            "pictures": settings.max_pictures,
            "entries": settings.max_archive_entries,
            "pixels": settings.max_image_pixels,
            "sidePx": settings.max_image_side_px,
            "lightBytes": _LIGHT_BYTES,
            "inflatedBytes": _INFLATED_BYTES,
        },
        "maxBytes": {
            "archive": settings.max_archive_bytes,
            "picture": settings.max_image_bytes,
            "request": settings.max_upload_bytes,
        },
        "languages": {words.language: _words(words, settings) for words in (ENGLISH, CHINESE)},
    }
    scopes = "\n".join(f"{{\n{_read(name)}}}" for name in _FILES)
    return f"<script>\n{_BEGIN % json.dumps(told)}\n{scopes}\n</script>"


def later_script(settings: Settings) -> str:
    """Return the script that runs once the document is there: what outlives a lost connection and the server."""
    told = {
        "maxAgeMs": 1000 * (settings.session_idle_s + _DAY_S),
        "ended": [words.explain(SessionExpired()) for words in (ENGLISH, CHINESE)],
    }
    scopes = "\n".join(f"{{\n{_read(name)}}}" for name in _LATER)
    return f"demo.survival = {json.dumps(told)};\n{scopes}\n"


def shrinker_script() -> str:
    """Return the script that makes pictures smaller before they are sent."""
    parts = "\n".join(_read(f"shrink/{name}") for name in _SHRINKER)
    return f'"use strict";\n{{\n{parts}}}\n'


def _read(name: str) -> str:
    return _COMMENT.sub("", (_SCRIPTS / f"{name}.js").read_text(encoding="utf-8"))


class _Place:
    """A value that a script fills in, whatever the format of its place in a sentence."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __format__(self, _format: str) -> str:
        return f"{{{self._name}}}"


def _words(words: Words, settings: Settings) -> dict[str, Any]:
    """Return what the scripts say."""
    file: dict[str, Any] = {"name": _Place("name"), "megabytes": _Place("megabytes")}
    too_large = {
        "archive": ArchiveBytesExceeded(**file, limit=settings.max_archive_bytes / MEGABYTE),
        "picture": ImageBytesExceeded(**file, limit=settings.max_image_bytes / MEGABYTE),
        "request": RequestTooLarge(limit=settings.max_upload_bytes / MEGABYTE),
    }
    return {
        "tooLarge": {kind: words.explain(error) for kind, error in too_large.items()},
        "tooMany": words.explain(TooManyPictures(limit=settings.max_pictures)),
        "stage": {
            each.name: asdict(sentence) if isinstance(sentence, Plural) else sentence
            for each in fields(words.sending)
            for sentence in [getattr(words.sending, each.name)]
        },
        "away": words.notice.away,
        "ending": words.explain(ServerEnding()),
        "copied": words.api.copied,
        "gradio": dict(words.gradio),
        "skip": words.look.skip,
        "chart": words.look.chart,
        "recording": words.finetune.gather.recording,
        "lookAt": words.inside.look_at,
    }
