"""A small zip of very many pixels: how soon the page and the API refuse it, and that a real set passes."""

import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from tests.attacks import png_of_one_bit
from tests.benchmarks.abuse import Rows, is_own, verdict, watched_app
from tests.pictures import write_zip
from tests.visitor import Refused, Visitor

NUM_PICTURES, SIDE_PX = 200, 6_000
REFUSED_S = 2.0


def measure(data: Path) -> Rows:
    """Bring the zip by both doors, and then a real set of pictures by the page's.

    Args:
        data: The folder with hymenoptera.zip.
    """
    with tempfile.TemporaryDirectory() as folder, watched_app() as app:
        huge = make_zip_of_pixels(Path(folder, "huge.zip"))
        visitor = Visitor(app.url)
        rows = [
            _row("as the page's pictures", partial(bring, visitor, huge)),
            _row("by the API", partial(fine_tune, app.url, visitor, huge)),
        ]
        taken = bring(visitor, data / "hymenoptera.zip")
        visitor.close()
    return [*rows, ("hymenoptera.zip as the page's pictures", "taken", f"{verdict(not taken)}: {taken or 'taken'}")]


def make_zip_of_pixels(path: Path) -> Path:
    """Write 200 pictures of 36 megapixels each, all different, in two classes."""
    picture = png_of_one_bit(SIDE_PX)
    return write_zip(path, {f"{'ab'[n % 2]}/{n}.png": picture + bytes([n]) for n in range(NUM_PICTURES)})


def bring(visitor: Visitor, archive: Path) -> str:
    """Bring a zip to a page; return with what sentence it was refused."""
    try:
        visitor.call("choose_archive", [visitor.upload(archive)])
    except Refused as refused:
        return str(refused)
    return ""


def fine_tune(url: str, visitor: Visitor, archive: Path) -> str:
    """Send a zip to the API; return with what sentence it was refused."""
    call = f"{url}/gradio_api/call/fine_tune"
    begun = httpx.post(call, json={"data": [visitor.upload(archive)]}, timeout=60, trust_env=False).raise_for_status()
    told = httpx.get(f"{call}/{begun.json()['event_id']}", timeout=300, trust_env=False).text
    return str(json.loads(told.split("event: error\ndata: ")[1])["error"]) if "event: error" in told else ""


def _row(where: str, send: Callable[[], str]) -> tuple[str, str, str]:
    start = time.monotonic()
    said = send()
    seconds = time.monotonic() - start
    holds = is_own(said) and seconds < REFUSED_S
    return (
        f"a zip of {NUM_PICTURES} pictures of 36 megapixels, {where}",
        f"refused with a sentence in {REFUSED_S:.0f} s",
        f"{verdict(holds)}: {seconds:.2f} s, with the upload; {said or 'taken'}",
    )
