"""The front door of one page: what stands in front of it, what operators ask, and who is told of it."""

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import Route

from demo.models.hardware import find_hardware, name_device
from demo.ui.door.announcement import announce
from demo.ui.door.forwarded import Forwarded, Relay
from demo.ui.door.health import HEALTH, Health
from demo.ui.door.lock import Lock
from demo.ui.door.login import FORGET_KEY
from demo.ui.door.metrics import make_metrics
from demo.ui.door.tunnel import open_share_link
from demo.visitors.rooms import Rooms

logger = logging.getLogger("demo")


class FrontDoor:
    """The ways to a page, as its settings name them.

    Args:
        rooms: The rooms behind it.
        count_lines: Returns how many events wait and run in each line of the page's queue.

    Raises:
        MetricsMissing: If metrics are asked for, and their package is not installed.
    """

    def __init__(self, rooms: Rooms, count_lines: Callable[[], dict[str, tuple[int, int]]]) -> None:
        self._settings, self._entrance, self._relay = rooms.settings, rooms.settings.entrance, Relay()
        self._device = rooms.backbones.device
        self.is_warm = threading.Event()  # set once the first network has answered
        health = Health(rooms, count_lines, self.is_warm.is_set)
        self.routes = [Route(HEALTH, health.send)]
        self.middleware = [Middleware(Forwarded, proxies=self._entrance.proxies, relay=self._relay)]
        if self._entrance.has_metrics:
            route, counted = make_metrics(health)
            self.routes.append(route)
            self.middleware.append(counted)
        if self._entrance.password:
            is_spoken, frames = self._entrance.is_password_made, self._entrance.frames
            self.middleware.append(Middleware(Lock, self._entrance.password, frames, is_spoken=is_spoken))

    @property
    def script(self) -> str:
        """What each page does for the door, as HTML."""
        return FORGET_KEY if self._entrance.password else ""

    def prepare(self) -> dict[str, Any]:
        """Return what gradio is told at launch, and let uvicorn believe nobody: it would every local program."""
        os.environ["FORWARDED_ALLOW_IPS"] = ""
        # The link is opened, and all is told, by `announce`.
        told: dict[str, Any] = {"share": False, "quiet": True}
        if self._entrance.is_lan:
            told["server_name"] = "0.0.0.0"
        return told

    def announce(self, url: str, port: int) -> None:
        """Open the share link, if there is to be one, and tell of all ways.

        Args:
            url: The page's address on this machine.
            port: Its port.

        Raises:
            NoShareLink: If there is no way to the relay.
        """
        link = open_share_link(port) if self._entrance.is_shared else ""
        self._relay.host = link.partition("://")[2]
        lock = "with a password" if self._entrance.password else "without a password"
        computes = f"{find_hardware(self._device).value} ({name_device(self._device)})"
        logger.info("open at %s %s; what computes: %s", url, lock, computes)
        announce(self._entrance, url, port, link)
