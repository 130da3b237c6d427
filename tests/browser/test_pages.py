"""Two pages behind the balancer: nothing crosses, and a killed one takes along its own visitors, who are told."""

import itertools
import random
import signal
import subprocess
import sys
import threading
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
from demo.words.language import CHINESE, ENGLISH, Words
from tests.balancer import COOKIE, PAGES, Balancer, balancing, find_haproxy
from tests.benchmarks.crowd import Crossed, Customer, Fingerprint
from tests.browser.test_forget import token_of
from tests.browser.test_keepsake import NUMBER
from tests.browser.test_walk import wait_for
from tests.conftest import PROJECT
from tests.heads import light_head
from tests.opened import environment, free_port
from tests.pictures import encode, noise
from tests.visitor import Visitor

NUM_SESSIONS, NUM_CALLS, KILLED_AT, AT_ONCE = 40, 1000, 600, 16
NUM_TOLD = 8  # of those who were on the killed page: each opens a page anew
NAMES = ("ants", "bees")


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


# A thousand of these take few forward passes.
ACTIONS = (
    *(*["edit_classes"] * 7, *["show_session"] * 6, *["bring"] * 4, *["ask_program"] * 3, *["refresh"] * 2),
    *("reload", "choose_photo", "import_head"),
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
            balancer.wait_for("UP", *ports, patience_s=300)
            yield balancer, running


def play(crowd: list[Pupil], page: "subprocess.Popen[bytes]", killed: str) -> tuple[list[str], list[str]]:
    """Let pupils do things at once, and kill a page on the way; return what went wrong of others', and what crossed.

    Of the killed page's pupils, each goes on until something fails.
    """
    order, calls, is_killed = random.Random(0), itertools.count(), threading.Event()
    asked = [(order.choice(crowd), ACTIONS[call % len(ACTIONS)]) for call in range(NUM_CALLS)]
    homes, turns = {pupil: pupil.home for pupil in crowd}, {pupil: threading.Lock() for pupil in crowd}
    stays, lost = [pupil for pupil in crowd if homes[pupil] != killed], set()

    def act(call: tuple[Pupil, str]) -> tuple[str, bool]:
        number, (pupil, name) = next(calls), call
        if number == KILLED_AT:
            is_killed.set()
            page.send_signal(signal.SIGKILL)
        with turns[pupil]:  # nobody does another thing before it is known what became of the last
            if pupil not in lost:
                wrong = pupil.act(name)
                if is_lost := bool(wrong) and is_killed.is_set() and homes[pupil] == killed:
                    lost.add(pupil)
                return wrong, is_lost
        return stays[number % len(stays)].act(name), False

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(act, asked))
    assert lost
    crossed = [wrong for wrong, _ in results if f": {Crossed.__name__}: " in wrong]
    return [wrong for wrong, is_lost in results if wrong and not is_lost], crossed


@contextmanager
def watching(chromium: Any, url: str, folder: Path) -> Iterator[Any]:
    """Open the page in a browser, and give it a head, of which the browser keeps a copy."""
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(120_000)  # the crowd needs both cores meanwhile
    page.goto(url)
    page.wait_for_function("sessionStorage.getItem('demo-token')")
    head = folder / "ants and bees.safetensors"
    head.write_bytes(write_head(light_head(NAMES), ZOO[EMBEDDED]))
    cookies = httpx.Cookies({COOKIE: home_of(page)})
    same = Visitor(url, token=token_of(page), cookies=cookies.jar)
    assert same.token == token_of(page)
    same.call("import_head", same.upload(head))
    same.close()
    page.evaluate("demo.resume()")
    page.wait_for_function(NUMBER)
    yield page
    context.close()


def home_of(page: Any) -> str:
    return next(str(each["value"]) for each in page.context.cookies() if each["name"] == COOKIE)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_nothing_crosses_and_a_killed_page_takes_along_its_own_visitors_alone(chromium: Any, tmp_path: Path) -> None:
    with (
        two_pages(tmp_path) as (balancer, running),
        watching(chromium, balancer.url, tmp_path) as watcher,
        ExitStack() as stack,
    ):

        def come(number: int) -> Pupil:
            photo = encode(Fingerprint(number).mark(noise(number, (320, 240))), "JPEG")
            pupil = Pupil(balancer.url, Fingerprint(number), photo, tmp_path)
            stack.callback(pupil.close)
            return pupil

        with ThreadPoolExecutor(AT_ONCE) as pool:
            crowd = list(pool.map(come, range(NUM_SESSIONS)))
        living, killed = Counter(pupil.home for pupil in crowd), home_of(watcher)
        assert min(living[name] for name in PAGES) >= NUM_SESSIONS // 4, living
        tokens = {pupil: pupil.page.token for pupil in crowd if pupil.home == killed}

        assert play(crowd, running[killed], killed) == ([], [])
        assert [pupil.act("refresh") for pupil in crowd if pupil not in tokens] == [""] * (NUM_SESSIONS - len(tokens))
        for pupil, token in list(tokens.items())[:NUM_TOLD]:
            assert_told(pupil, token, balancer.url)
        # A browser has looked for its server, found another one, and loaded the page anew.
        names = ENGLISH.list_separator.join(NAMES)
        wait_for(watcher, "#offer", ENGLISH.notice.anew_but)
        wait_for(watcher, "#offer", ENGLISH.notice.kept.format(names=names))
        assert home_of(watcher) != killed
        watcher.get_by_role("button", name=ENGLISH.notice.bring).click()
        wait_for(watcher, "#offer", ENGLISH.notice.back.format(names=names))  # it knows the seal
        wait_for(watcher, "#strip", NAMES[0])


def assert_told(pupil: Pupil, token: str, url: str) -> None:
    """Load the page of a pupil anew, and find a sentence on what is gone."""
    again = Visitor(url, token=token, cookies=pupil.cookies, language=pupil.page._language)
    assert again.token != token
    assert pupil.words.notice.anew in again.attached.opened.notice
    again.close()
