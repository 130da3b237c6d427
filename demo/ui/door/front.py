"""The front door of one page: what stands in front of it, what operators ask, and who is told of it."""

import logging
import os
from collections.abc import Callable
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from demo.entrance import ANYBODY, HEALTH
from demo.logs import write_seldom
from demo.models.hardware import find_hardware, name_device
from demo.system import count_allowed_files
from demo.ui.budgets.connections import Connections, counted
from demo.ui.budgets.requests import Requests
from demo.ui.door.announcement import announce
from demo.ui.door.forwarded import Forwarded, Relay, Trust
from demo.ui.door.health import Health
from demo.ui.door.lock import Lock
from demo.ui.door.login import FORGET_KEY
from demo.ui.door.metrics import make_metrics
from demo.ui.door.names import Names, origin_pattern
from demo.ui.door.tunnel import open_share_link
from demo.ui.server.internals import serve_with
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
        health = Health(rooms, count_lines, rooms.arrival.is_warm.is_set)
        self.routes = [Route(HEALTH, health.send)]
        self.middleware = [
            Middleware(Forwarded, proxies=self._entrance.proxies, relay=self._relay),
            Middleware(Names, entrance=self._entrance),
            Middleware(Requests, settings=self._settings),
        ]
        if self._entrance.has_metrics:
            route, counter = make_metrics(health)
            self.routes.append(route)
            self.middleware.insert(1, counter)
        if origins := self._entrance.origins:
            self.middleware.append(_permit(origins))
        if self._entrance.password:
            is_spoken, frames, key = self._entrance.is_password_made, self._entrance.frames, self._settings.seal_key
            self.middleware.append(Middleware(Lock, self._entrance.password, frames, is_spoken=is_spoken, key=key))

    @property
    def script(self) -> str:
        """What each page does for the door, as HTML."""
        return FORGET_KEY if self._entrance.password else ""

    def prepare(self) -> dict[str, Any]:
        """Return what gradio is told at launch, and let uvicorn count connections and believe nobody.

        By itself it would believe every program of this machine.
        """
        os.environ["FORWARDED_ALLOW_IPS"] = ""
        trust = Trust(self._entrance.proxies, self._relay)
        connections = Connections(self._settings, trust.has_many_visitors, count_allowed_files())
        serve_with(self._stand_before, http=counted(connections), ws="none", backlog=connections.backlog)
        write_seldom("asyncio", "uvicorn.error", "demo.budgets", "demo.door")
        # The link is opened, and all is told, by `announce`.
        told: dict[str, Any] = {"share": False, "quiet": True}
        if self._entrance.is_lan:
            told["server_name"] = "0.0.0.0"
        return told

    def _stand_before(self, app: Any) -> Any:
        """Return an app with the door in front of it, the first of its middleware in front of all."""
        for each in reversed(self.middleware):
            app = each.cls(app, *each.args, **each.kwargs)
        return app

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


def _permit(origins: tuple[str, ...]) -> Middleware:
    """Return what lets pages of other sites read answers: of named sites with the visitor's cookies, else without."""
    pattern = origin_pattern(origins)
    is_named = ANYBODY not in origins
    return Middleware(
        CORSMiddleware,
        allow_origins=() if is_named else (ANYBODY,),
        allow_origin_regex=pattern if is_named else None,
        allow_credentials=is_named,
        allow_methods=["GET", "POST"],
        allow_headers=[ANYBODY],
    )
