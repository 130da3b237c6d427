"""Open the page: on this machine alone, for a room, by a link, or within another site.

Each option is an environment variable too, for a Space or a container: README lists them.
"""

import argparse
import gc
import logging
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from demo.errors import StartError
from demo.logs import set_up
from demo.settings import DEVICES, Settings
from demo.ui.lifetime.leaving import end_at_once_if_asked

logger = logging.getLogger("demo")

HELP = "open the page in a browser, for yourself or for others"

# Options that are given or not, and those that have a value: each with its variable.
_SWITCHES = {
    "--share": ("DEMO_SHARE", "make a link that works anywhere, through Gradio's relay; with a password"),
    "--lan": ("DEMO_LAN", "let others in the same network reach the page; with a password"),
    "--public": ("DEMO_PUBLIC", "use the smaller limits of a page that strangers can reach"),
    "--metrics": ("DEMO_METRICS", "answer /metrics in Prometheus' format"),
}
_VALUES = {
    "--password": ("DEMO_PASSWORD", "ask for this password in place of one that is made"),
    "--embed-in": ("DEMO_EMBED_IN", "let this site show the page in a frame: https://moodle.school"),
    "--name": ("DEMO_HOSTS", "answer to this name, too: vision.school"),
    "--allow-site": ("DEMO_ORIGINS", "let pages of this site call the API from a browser: https://blog.school"),
    "--proxy": ("DEMO_PROXY", "believe the proxies with these addresses: 10.0.0.2,172.16.0.0/12"),
    "--engine": ("DEMO_ENGINE", "let networks compute on another machine (docs/engine.md): http://10.0.0.5:8000"),
    "--device": ("DEMO_DEVICE", f"where networks compute: {', '.join(DEVICES)}"),
    "--port": ("GRADIO_SERVER_PORT", "the port of this machine; 7860 unless given"),
    "--log": ("DEMO_LOG", "write the log as text or json"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    for option, (variable, told) in _SWITCHES.items():
        parser.add_argument(option, dest=variable, action="store_const", const="1", help=told)
    for option, (variable, told) in _VALUES.items():
        parser.add_argument(option, dest=variable, metavar=option.lstrip("-").upper(), help=told)

    parser.add_argument("--check", action="store_true", help="open no page: say of each thing here whether it will do")


def run(options: argparse.Namespace) -> int:
    """Open the page as the options say, until the process is asked to end; or only look whether it could be opened.

    Raises:
        StartError: If that is not possible here.
    """
    os.environ |= read_options(options)
    if options.check:
        return check()
    _, open_page = prepare()
    open_page()
    return 0


def read_options(options: argparse.Namespace) -> dict[str, str]:
    """Return the environment variables that stand for the options."""
    variables = [variable for variable, _ in (*_SWITCHES.values(), *_VALUES.values())]
    given = {name: value for name in variables if (value := getattr(options, name)) is not None}
    # A port that is asked for is that one, and no later one.
    return given | ({"GRADIO_NUM_PORTS": "1"} if "GRADIO_SERVER_PORT" in given else {})


def check() -> int:
    """Print a line for each thing that the page needs here; return 2 if one of them would end its start, else 0."""
    from demo.ui.door.announcement import find_words
    from demo.ui.lifetime.place import Finding, look

    words = find_words()
    try:
        findings: Iterator[Finding] = look(Settings.from_environment(), words)
    except StartError as error:
        findings = iter([Finding(error=error)])
    is_wrong = False
    for each in findings:
        print(each.tell(words), flush=True)
        is_wrong = is_wrong or isinstance(each.error, StartError)
    return 2 if is_wrong else 0


def prepare() -> tuple[Any, Callable[[], object]]:
    """Return the page that the environment asks for, and what opens it until the process is asked to end.

    Raises:
        StartError: If a setting is wrong, or the place lacks what the page needs; likewise at the opening.
    """
    settings = Settings.from_environment()  # before torch and gradio, whose imports take seconds
    set_up(settings.entrance.log)
    end_at_once_if_asked()
    gc.disable()  # until the page opens: what is imported stays, and to look through it is a sixth of the start
    # The usual address never shows an older page than the one that was started: gradio would try a hundred ports.
    os.environ.setdefault("GRADIO_NUM_PORTS", "1")
    _check_place(settings)
    from demo.ui.page import build_page
    from demo.ui.server.launch import launch
    from demo.visitors.rooms import Rooms

    rooms = Rooms.of(settings)
    page = build_page(rooms)
    return page, partial(launch, page, rooms)


def _check_place(settings: Settings) -> None:
    """Log what the place has too little of.

    Raises:
        StartError: If the page would be of no use here.
    """
    from demo.ui.door.announcement import find_words
    from demo.ui.lifetime.place import look

    words = find_words()
    for each in look(settings, words):
        if isinstance(each.error, StartError):
            raise each.error
        if each.error is not None:
            logger.warning("%s", words.explain(each.error))
