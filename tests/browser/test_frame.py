"""The page within a page of another site, and the login in between, in Chromium."""

import asyncio
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.opened import Opened, free_port, opened

pytestmark = [pytest.mark.slow, pytest.mark.ways]

# Sites of their own, each of which Chromium finds on this machine.
SCHOOL, STRANGER, VISION = "moodle.localhost", "stranger.localhost", "vision.localhost"


class Proxy:
    """A proxy that ends TLS: a connection a request, with what nginx would say of it."""

    def __init__(self, behind: int, folder: Path) -> None:
        key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={VISION}"]
        subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._behind, self.port = behind, free_port()
        self._answers: set[object] = set()  # asyncio itself forgets tasks that nobody holds

    async def serve(self) -> None:
        """Serve until `stop` is called, in the event loop of a thread of its own."""
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._answer, "127.0.0.1", self.port, ssl=self._context):
            await self._over.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)

    async def _answer(self, visitor: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        self._answers.add(asyncio.current_task())
        page, question = await asyncio.open_connection("127.0.0.1", self._behind)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            first, _, rest = (await visitor.readuntil(b"\r\n\r\n")).partition(b"\r\n")
            told = [b"X-Forwarded-Proto: https", b"Connection: close"]
            lines = [each for each in rest.split(b"\r\n") if not each.lower().startswith(b"connection:")]
            question.write(b"\r\n".join([first, *told, *lines]))
            asking = asyncio.ensure_future(pass_on(visitor, question))
            await pass_on(page, answer)
            asking.cancel()
        for each in (question, answer):
            each.close()


async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(65_536):
            target.write(chunk)
            await target.drain()


@pytest.fixture(scope="module")
def school_port() -> Iterator[int]:
    """Serve a teacher's page that shows what its address names in a frame."""

    class School(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            framed = self.path.lstrip("/?")
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f'<h1>School</h1><iframe src="{framed}" width=1200 height=700></iframe>'.encode())

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), School) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def vision(school_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Opened, str]]:
    """The page with a password, behind a proxy, for one school; and its address over https."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate")
    told = ("--lan", "--embed-in", f"http://{SCHOOL}:{school_port}", "--proxy", "127.0.0.1")
    with opened(tmp_path_factory.mktemp("uploads"), *told, until="▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀") as page:
        proxy = Proxy(page.port, tmp_path_factory.mktemp("certificate"))
        thread = threading.Thread(target=lambda: asyncio.run(proxy.serve()))
        thread.start()
        yield page, f"https://{VISION}:{proxy.port}"
        proxy.stop()
        thread.join()


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, ignore_https_errors=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def framed(browser: Any, site: str, school_port: int, address: str) -> Any:
    browser.goto(f"http://{site}:{school_port}/?{address}")
    return browser.frame_locator("iframe")


def test_the_named_site_shows_it_with_its_login_and_the_page_works(
    vision: tuple[Opened, str], school_port: int, browser: Any
) -> None:
    page, address = vision
    frame = framed(browser, SCHOOL, school_port, f"{address}/zh")
    frame.locator("#password").fill(page.password)
    frame.locator("button").click()
    for _ in range(2):
        frame.locator("#finetune-tab-button").click()
        frame.get_by_role("button", name="手写数字").wait_for()
        browser.reload()  # the cookie comes with the frame, also where a browser blocks those of other sites


def test_another_site_does_not_show_it(vision: tuple[Opened, str], school_port: int, browser: Any) -> None:
    said: list[str] = []
    browser.on("console", lambda message: said.append(message.text))
    framed(browser, STRANGER, school_port, vision[1])
    browser.wait_for_timeout(500)
    assert [each for each in said if "frame-ancestors" in each]
    assert browser.frames[1].url.startswith("chrome-error:")


def test_a_scanned_code_opens_the_page_and_leaves_no_password_behind(vision: tuple[Opened, str], browser: Any) -> None:
    page, address = vision
    for place in ("/", "/zh"):  # without the cookie, then with it
        browser.goto(f"{address}{place}#key={page.password}")
        browser.locator("#predict-tab-button").wait_for()
        assert browser.url == address + place
        assert page.password not in browser.content()


@pytest.mark.parametrize("width", [1280, 375])
def test_a_wrong_password_is_told_and_the_right_one_leads_on(
    vision: tuple[Opened, str], width: int, chromium: Any
) -> None:
    page, address = vision
    context = chromium.new_context(viewport={"width": width, "height": 740}, ignore_https_errors=True)
    visitor = context.new_page()
    visitor.goto(f"{address}/teacher")
    visitor.fill("#password", "wrong-wrong")
    visitor.click("button")
    assert visitor.get_by_role("alert").inner_text().startswith("That is not the password")
    assert visitor.evaluate("document.documentElement.scrollWidth") <= width
    visitor.fill("#password", page.password)
    visitor.click("button")
    visitor.get_by_role("heading", level=1).wait_for()
    assert visitor.url == f"{address}/teacher"
    context.close()
