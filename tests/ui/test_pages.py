"""Two pages behind the balancer: nothing crosses, and what a killed page takes along is its own visitors' alone."""

import itertools
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.models.headfile import write_head
from demo.models.zoo import EMBEDDED, ZOO
from demo.ui.survival.offer import Back
from demo.words.language import CHINESE, ENGLISH, Words
from tests.balancer import COOKIE, PAGES, Balancer, balancing, find_haproxy
from tests.benchmarks.crowd import Crossed, Customer, Fingerprint
from tests.conftest import PROJECT
from tests.heads import light_head
from tests.opened import environment, free_port
from tests.pictures import encode, noise
from tests.visitor import Visitor, fill

NUM_SESSIONS, NUM_CALLS, KILLED_AT, AT_ONCE = 40, 1000, 600, 16
SECRET = "0" * 31 + "1"
PATIENCE_S = 10.0


class Pupil(Customer):
    """A visitor who brings a head instead of training one."""

    def import_head(self) -> None:
        """Bring a head with names of one's own."""
        path = self._folder / f"{self.fingerprint.name}.safetensors"
        path.write_bytes(write_head(light_head(self.fingerprint.class_names), ZOO[EMBEDDED]))
        self._check(self.page.call("import_head", self.page.upload(path)), names=2)
        self._has_head = True
        self.refresh()

    @property
    def home(self) -> str:
        """The page that the cookie names."""
        return next(str(each.value) for each in self.cookies if each.name == COOKIE)

    @property
    def words(self) -> Words:
        """Those of the page's language."""
        return CHINESE if self.page._language == "zh" else ENGLISH


ACTIONS = (
    *("refresh", "refresh", "refresh", "edit_classes", "edit_classes", "show_session", "show_session"),
    *("ask_program", "reload", "choose_photo", "bring", "import_head"),
)


@contextmanager
def two_pages(folder: Path) -> Iterator[tuple[Balancer, dict[str, "subprocess.Popen[bytes]"]]]:
    """Start two pages at once and a balancer before them; yield when both take visitors."""
    find_haproxy()
    ports, running = {name: free_port() for name in PAGES}, {}
    shared = {"DEMO_PUBLIC": "1", "DEMO_PROXY": "127.0.0.1", "DEMO_SEAL_KEY": "one key for both of the pages"}
    with ExitStack() as stack:
        for name, port in ports.items():
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            own = environment(folder / name, GRADIO_SERVER_PORT=str(port), **shared)
            running[name] = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=own, stdout=log, stderr=log)
            stack.callback(running[name].wait, 60)
            stack.callback(running[name].kill)
        with balancing(folder / "log", *(f"127.0.0.1:{port}" for port in ports.values())) as balancer:
            balancer.wait_for("DOWN", *ports)
            balancer.wait_for("UP", *ports, patience_s=300)
            yield balancer, running


def keepsake(pupil: Pupil, url: str) -> bytes:
    """Return the copy of the head that the pupil's browser keeps."""
    headers = {"X-Demo-Session": pupil.page.token, "X-Demo-Secret": SECRET, "X-Demo-Number": "0"}
    with httpx.Client(cookies=pupil.cookies, verify=False, timeout=PATIENCE_S) as client:
        return client.get(f"{url}/keepsake", headers=headers).raise_for_status().content


def app_id(pupil: Pupil) -> Any:
    """Return by what the pupil's browser knows whether the server is the one that its page came from."""
    return pupil.page._http.get("/app_id").raise_for_status().json()["app_id"]


def play(crowd: list[Pupil], page: "subprocess.Popen[bytes]", killed: str) -> tuple[list[str], list[str]]:
    """Let pupils do things at once, and kill a page on the way; return what went wrong of others', and what crossed.

    Of the killed page's pupils, each goes on until something fails.
    """
    order, calls, lost = random.Random(0), itertools.count(), set()
    asked = [(order.choice(crowd), ACTIONS[call % len(ACTIONS)]) for call in range(NUM_CALLS)]
    homes = {pupil: pupil.home for pupil in crowd}
    stays = [pupil for pupil in crowd if homes[pupil] != killed]

    def act(call: tuple[Pupil, str]) -> tuple[Pupil, bool, str]:
        number, (pupil, name) = next(calls), call
        if number == KILLED_AT:
            page.send_signal(signal.SIGKILL)
        if pupil in lost:
            pupil = stays[number % len(stays)]
        wrong = pupil.act(name)
        if wrong and number > KILLED_AT - AT_ONCE and homes[pupil] == killed:
            lost.add(pupil)
            return pupil, True, wrong
        return pupil, False, wrong

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(act, asked))
    crossed = [wrong for _, _, wrong in results if f": {Crossed.__name__}: " in wrong]
    return [wrong for _, is_lost, wrong in results if wrong and not is_lost], crossed


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_nothing_crosses_and_a_killed_page_takes_along_its_own_visitors_alone(tmp_path: Path) -> None:
    with two_pages(tmp_path) as (balancer, running), tempfile.TemporaryDirectory() as folder, ExitStack() as stack:

        def come(number: int) -> Pupil:
            photo = encode(Fingerprint(number).mark(noise(number, (320, 240))), "JPEG")
            return Pupil(balancer.url, Fingerprint(number), photo, Path(folder))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            crowd = list(pool.map(come, range(NUM_SESSIONS)))
        for pupil in crowd:
            stack.callback(pupil.close)
        living = Counter(pupil.home for pupil in crowd)
        assert min(living[name] for name in PAGES) >= NUM_SESSIONS // 4, living
        killed = crowd[0].home
        bereft = [pupil for pupil in crowd if pupil.home == killed]
        assert crowd[0].act("import_head") == ""
        kept, before = keepsake(crowd[0], balancer.url), app_id(crowd[0])

        with crowd[0].page._http.stream("GET", f"/heartbeat/{crowd[0].page._session_hash}") as heartbeat:
            beats = heartbeat.iter_text()
            assert "ALIVE" in next(beats)
            assert play(crowd, running[killed], killed) == ([], [])
            with pytest.raises(httpx.RemoteProtocolError):  # by which the page looks for its server
                for _ in beats:
                    pass
        assert app_id(crowd[0]) != before  # so it is loaded anew, and that is another page's
        for pupil in bereft:
            assert_told(pupil, balancer.url)
        bring_back(crowd[0], balancer.url, kept, tmp_path)
        for pupil in crowd:
            if pupil not in bereft:
                assert pupil.act("refresh") == ""


def assert_told(pupil: Pupil, url: str) -> None:
    """Load the page of a pupil anew, and find a sentence on what is gone."""
    with_token = {"token": pupil.page.token, "cookies": pupil.cookies, "language": pupil.page._language}
    again = Visitor(url, **with_token)
    assert again.token != pupil.page.token
    assert pupil.words.notice.anew in again.attached.opened.notice
    again.close()


def bring_back(pupil: Pupil, url: str, kept: bytes, folder: Path) -> None:
    """Take the head back on the other page, which knows by the seal that it was trained on one of them."""
    page = Visitor(url, cookies=pupil.cookies)
    names = ENGLISH.list_separator.join(pupil.fingerprint.class_names)
    opened = page.call("attach", pupil.page.token, "", "\n".join(pupil.fingerprint.class_names))
    assert any(ENGLISH.notice.anew_but in str(each) for each in opened)
    (folder / "kept.head").write_bytes(kept)
    sent = {"path": page.upload(folder / "kept.head")["path"], "secret": SECRET}
    back = fill(Back, page.call("bring_back", event_data=sent))
    assert ENGLISH.notice.back.format(names=names) in str(back.offer)
    assert names in page.refresh().strip
    page.close()
