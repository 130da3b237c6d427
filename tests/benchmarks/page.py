"""What a visit costs: the bytes and the time of a first load, a click on an example, and pages that nobody touches.

    python3 -m tests.benchmarks.page

`python3 -m tests.benchmarks.page plain 7861` is the plainest gradio app with the same network and the same pictures, to
which a click is compared, and `demo` in the place of `plain` the demo's own page; the benchmark starts both.
"""

import http.client
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import gradio as gr
import torch
from PIL import Image

from demo.data.samples import EXAMPLES
from demo.models.zoo import EMBEDDED, ZOO
from tests.benchmarks.throughput import Visitor as Program
from tests.benchmarks.throughput import draw_photos, load_plain, serve_demo, serving
from tests.browser.conftest import find_chromium
from tests.visitor import Visitor

SIZES = ((1280, 800), (1920, 1080), (1024, 768), (375, 812))
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}  # 400 kbit/s
NUM_CLICKS = 20
NUM_OPEN = 40
NUM_PROGRAMS = 16
REST_S = 30.0
_TICK_S = 0.01  # of /proc/PID/stat

_WATCH_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifts += each.value;
}).observe({type: "layout-shift", buffered: true});
"""
_IS_USABLE = "document.querySelector('[id^=example-]')?.checkVisibility({visibilityProperty: true}) ?? false"
_SEES_SOMETHING = "(document.body?.innerText ?? '').trim() !== ''"
# Milliseconds from a click to another text in a place that is in sight.
_CLICK = """async ([button, answer]) => {
  const read = () => document.querySelector(answer)?.innerText ?? "";
  const before = read(), start = performance.now();
  document.querySelector(button).click();
  while (read() === before || read() === "") {
    await new Promise(requestAnimationFrame);
    if (performance.now() - start > 30_000) throw new Error("no answer");
  }
  return performance.now() - start;
}"""

Rows = list[tuple[str, str, str]]


class App(NamedTuple):
    """One of the two apps in the browser: where an example is clicked, and where its answer is read."""

    page: Any
    buttons: list[str]
    answer: str
    pid: int

    def click(self, number: int) -> float:
        """Click on one of the examples; return the milliseconds until its answer is seen."""
        milliseconds: float = self.page.evaluate(_CLICK, [self.buttons[number % len(self.buttons)], self.answer])
        return milliseconds


@contextmanager
def browsing() -> Iterator[Any]:
    """Yield a Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


def first_load() -> Rows:
    """Open the page with an empty cache: what is sent, what moves, and how long a slow connection takes."""
    with serving("tests.benchmarks.page", "demo") as (url, _), browsing() as browser:
        browser.new_page().goto(url)  # the first visitor of a server waits for its network
        time.sleep(REST_S)
        return [*_count_bytes(browser, url), *_sum_shifts(browser, url), *_go_slowly(browser, url)]


def _count_bytes(browser: Any, url: str) -> Rows:
    context = browser.new_context()
    page = context.new_page()
    session, urls, sizes = context.new_cdp_session(page), {}, {}
    session.send("Network.enable")
    session.on("Network.requestWillBeSent", lambda each: urls.update({each["requestId"]: each["request"]["url"]}))
    session.on("Network.loadingFinished", lambda each: sizes.update({each["requestId"]: each["encodedDataLength"]}))
    page.goto(url)
    _wait_until(page, _IS_USABLE)
    page.wait_for_timeout(5_000)
    asked = {key: where for key, where in urls.items() if where.startswith("http")}
    document = next(sizes[key] for key, where in asked.items() if urlsplit(where).path == "/")
    hosts = {urlsplit(where).hostname for where in asked.values()}
    context.close()
    return [
        ("first load: the document", "under 100 kB", f"{document / 1000:.0f} kB"),
        ("first load: all bytes", "under 800 kB", f"{sum(sizes.values()) / 1000:.0f} kB"),
        ("first load: requests", "under 110", str(len(asked))),
        ("first load: machines that are asked", "this one", ", ".join(sorted(map(str, hosts)))),
    ]


def _sum_shifts(browser: Any, url: str) -> Rows:
    rows = []
    for width, height in SIZES:
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.add_init_script(_WATCH_SHIFTS)
        page.goto(url)
        _wait_until(page, _IS_USABLE)
        page.wait_for_timeout(4_000)
        rows.append((f"layout shifts, {width} x {height}", "under 0.1", f"{page.evaluate('shifts'):.3f}"))
        context.close()
    return rows


def _go_slowly(browser: Any, url: str) -> Rows:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW)
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    _wait_until(page, _SEES_SOMETHING)
    seen_s = time.perf_counter() - start
    _wait_until(page, _IS_USABLE)
    usable_s = time.perf_counter() - start
    context.close()
    return [
        ("400 kbit/s, 400 ms: a blank page", "under 4 s", f"{seen_s:.1f} s"),
        ("400 kbit/s, 400 ms: until an example can be clicked", "under 15 s", f"{usable_s:.1f} s"),
    ]


def clicks() -> Rows:
    """Click on examples in the demo and in the plain app in turn."""
    module = "tests.benchmarks.page"
    with serving(module, "demo") as demo, serving(module, "plain") as plain, browsing() as browser:
        apps = [_open_demo(browser, *demo), _open_plain(browser, *plain)]
        for app in apps:
            for number in range(3):
                app.click(number)
                app.page.wait_for_timeout(1_000)
        times = [[_click_in_peace(app, number) for app in apps] for number in range(NUM_CLICKS)]
        events = _count_events(apps[0])
        cpu = [_cpu_of_clicks(app) for app in apps]
    demo_ms, plain_ms = (statistics.median(side) for side in zip(*times, strict=True))
    ratio = statistics.median(demo / plain for demo, plain in times)
    return [
        (
            "click on an example to its answer, to the plain app's",
            "at most 0.8 times",
            f"{ratio:.2f} times ({demo_ms:.0f} to {plain_ms:.0f} ms)",
        ),
        ("click on an example: events before its answer", "1", str(events)),
        ("click on an example: server's time", "under 80 ms", f"{cpu[0]:.0f} ms (plain app {cpu[1]:.0f} ms)"),
    ]


def _open_demo(browser: Any, url: str, process: Any) -> App:
    page = browser.new_page()
    page.goto(url)
    _wait_until(page, _IS_USABLE)
    page.wait_for_timeout(5_000)
    return App(page, [f"#example-{example.name}" for example in EXAMPLES], "#answer", process.pid)


def _open_plain(browser: Any, url: str, process: Any) -> App:
    page = browser.new_page()
    page.goto(url)
    page.wait_for_selector(".gallery-item")
    page.evaluate(
        "document.querySelectorAll('.gallery-item').forEach((each, number) => { each.id = `plain-${number}` })"
    )
    buttons = [f"#plain-{number}" for number in range(len(EXAMPLES))]
    return App(page, buttons, "[data-testid=label-output-value]", process.pid)


def _click_in_peace(app: App, number: int) -> float:
    app.page.bring_to_front()
    milliseconds = app.click(number)
    app.page.wait_for_timeout(1_000)  # what follows the answer is no part of the next click
    return milliseconds


def _count_events(app: App) -> int:
    """Return how many events the page sends between a click and its answer, the most of three clicks."""
    sent: list[str] = []
    app.page.on("request", lambda request: sent.append(request.url) if "/queue/join" in request.url else None)
    counts = []
    app.page.bring_to_front()
    for number in range(3):
        sent.clear()
        app.click(number)
        counts.append(len(sent))
        app.page.wait_for_timeout(1_000)
    return max(counts)


def _cpu_of_clicks(app: App) -> float:
    """Return the milliseconds of a core that the server takes for a click and all that follows it."""
    app.page.bring_to_front()
    before = cpu_seconds(app.pid)
    for number in range(NUM_CLICKS):
        app.click(number)
        app.page.wait_for_timeout(700)
    return 1000 * (cpu_seconds(app.pid) - before) / NUM_CLICKS


def at_rest() -> Rows:
    """Leave no page open, one, and forty."""
    with serving("tests.benchmarks.page", "demo") as (url, process):
        time.sleep(REST_S)  # until the network is loaded
        rows: Rows = []
        visitors: list[Visitor] = []
        streams: list[http.client.HTTPConnection] = []
        for count, promised in ((0, "-"), (1, "under 1%"), (NUM_OPEN, "under 5%")):
            while len(visitors) < count:
                visitors.append(Visitor(url))
                streams.append(_listen(url))
            time.sleep(REST_S)
            before = cpu_seconds(process.pid)
            time.sleep(REST_S)
            share = (cpu_seconds(process.pid) - before) / REST_S
            rows.append((f"open pages that nobody touches: {count}", promised, f"{100 * share:.1f}% of a core"))
        for visitor, stream in zip(visitors, streams, strict=True):
            visitor.close()
            stream.close()
        return rows


def costs() -> Rows:
    """Ask for what a click, an upload and a program ask for, without a browser: what that costs the server."""
    photos = draw_photos((1000, 750))
    with serving("tests.benchmarks.page", "demo") as (url, process), tempfile.TemporaryDirectory() as folder:
        page, programs = Visitor(url), [Program(url, EMBEDDED, 5) for _ in range(NUM_PROGRAMS)]
        path = Path(folder, "photo.jpg")
        path.write_bytes(photos[0])

        def ask_at_once(_number: int) -> None:
            with ThreadPoolExecutor(NUM_PROGRAMS) as pool:
                list(pool.map(lambda each: each.ask(photos[1]), programs))

        done: dict[str, tuple[Callable[[int], Any], int]] = {
            "a click on an example": (lambda _: page.call("choose_example", "", of="example-cat"), 1),
            "a photograph that is brought": (lambda _: page.call("choose_photo", page.upload(path)), 1),
            "a call of /predict, one program": (lambda number: programs[0].ask(photos[number % len(photos)]), 1),
            f"a call of /predict, {NUM_PROGRAMS} programs": (ask_at_once, NUM_PROGRAMS),
        }
        rows = [
            (f"{what}: server's time", "-", f"{_cpu_of(process.pid, do) / times:.1f} ms")
            for what, (do, times) in done.items()
        ]
        page.close()
        return rows


def _cpu_of(pid: int, do: Callable[[int], Any]) -> float:
    """Return the milliseconds of a core that a process takes each time that something is done."""
    for number in range(len(EXAMPLES)):
        do(number)
    before = cpu_seconds(pid)
    for number in range(NUM_CLICKS):
        do(number)
    return 1000 * (cpu_seconds(pid) - before) / NUM_CLICKS


def _listen(url: str) -> http.client.HTTPConnection:
    """Open the stream that each page of gradio keeps open as long as it is there."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request("GET", f"/gradio_api/heartbeat/{secrets.token_hex(8)}")
    connection.getresponse()
    return connection


def cpu_seconds(pid: int) -> float:
    """Return how many seconds of a core a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return _TICK_S * (int(fields[11]) + int(fields[12]))


def _wait_until(page: Any, condition: str, patience_s: float = 90.0) -> None:
    end = time.perf_counter() + patience_s
    while not page.evaluate(condition):
        assert time.perf_counter() < end, condition
        page.wait_for_timeout(50)


def serve_plain(port: int) -> None:
    """Serve the plainest app that answers an example at once: as a tutorial writes it."""
    spec = ZOO[EMBEDDED]
    network, transforms = load_plain(spec), spec.build_transforms()

    def classify(picture: Image.Image) -> dict[str, float]:
        with torch.inference_mode():
            probabilities = torch.softmax(network(transforms(picture)[None])[0], dim=0)
        return dict(zip(spec.class_names, probabilities.tolist(), strict=True))

    with gr.Blocks() as app:
        picture, label = gr.Image(type="pil"), gr.Label(num_top_classes=5)
        files = [[str(example.path)] for example in EXAMPLES]
        gr.Examples(files, picture, label, classify, run_on_click=True, examples_per_page=len(files))
    app.launch(server_port=port, allowed_paths=[str(EXAMPLES[0].path.parent)])


BENCHMARKS: tuple[Callable[[], Rows], ...] = (first_load, clicks, costs, at_rest)


def main(arguments: list[str]) -> None:
    """Print all rows, those of one benchmark that is named, or serve one of the apps."""
    match arguments:
        case ["plain", port]:
            serve_plain(int(port))
        case ["demo", port]:
            serve_demo(ZOO[EMBEDDED], int(port))
        case _:
            for benchmark in BENCHMARKS:
                if not arguments or benchmark.__name__ in arguments:
                    for row in benchmark():
                        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
