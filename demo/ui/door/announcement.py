"""What whoever opens the page is told: where others find it, its password, and both as a QR code."""

import io
import locale
import logging
import sys
from contextlib import suppress
from urllib.parse import quote

import segno

from demo.entrance import Entrance
from demo.system import lan_addresses
from demo.words.language import CHINESE, ENGLISH, Words

logger = logging.getLogger("demo")


def announce(entrance: Entrance, url: str, port: int, share_link: str) -> None:
    """Tell where the page is, and where others find one that is shared or on the LAN.

    Args:
        entrance: Its ways.
        url: Its address on this machine.
        port: The port that it has on this machine.
        share_link: The share link; empty if there is none.
    """
    words, links = find_words(), [share_link] if share_link else []
    if entrance.is_lan:
        links += [f"http://{address}:{port}" for address in lan_addresses()]
    lines = list_lines(words, entrance, links)
    if entrance.log == "json":
        for line in lines:
            logger.info("%s", line)
        return
    _print(f"* Running on local URL:  {url}")  # gradio's own line, for which programs wait
    if lines:
        _print("\n".join(["", *lines, *_draw_codes(words, entrance, links)]))


def list_lines(words: Words, entrance: Entrance, links: list[str]) -> list[str]:
    """Return the lines to tell, without codes."""
    if not (entrance.is_shared or entrance.is_lan):
        return []
    ours = words.door
    told = [ours.open_at.format(address=each) for each in links] or [ours.no_address]
    if entrance.is_shared:
        told.append(ours.relay)
    return [*told, ours.password.format(password=entrance.password) if entrance.is_password_made else ours.given]


def find_words() -> Words:
    """Return the words of the language that this process was started in."""
    return CHINESE if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else ENGLISH


def direct_link(link: str, password: str) -> str:
    """Return a link that opens the page by itself: what is behind # no browser sends, and no server writes down."""
    return f"{link}/#key={quote(password, safe='')}"


def _draw_codes(words: Words, entrance: Entrance, links: list[str]) -> list[str]:
    if not links:
        return []
    code = io.StringIO()
    segno.make(direct_link(links[0], entrance.password), micro=False).terminal(out=code, compact=True, border=2)
    return ["", words.door.scan.format(address=links[0]), code.getvalue()]


def _print(text: str) -> None:
    with suppress(AttributeError):  # a stream that is none of Python's own
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    print(text, flush=True)
