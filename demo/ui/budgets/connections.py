"""How many connections an address, and all together, may have open, whether anything is asked by them or not."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, ClassVar

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from demo.entrance import HEALTH, network_of
from demo.settings import Settings
from demo.system import end_dead_connections
from demo.ui.budgets.errors import PageFull, TooManyConnections
from demo.ui.server.errors import RequestError
from demo.ui.server.gate import refuse

logger = logging.getLogger("demo.budgets")

_DEAD_AFTER_S = 60.0  # without a word from the other end's system
_SURPLUS_S = 2.0  # in which a connection too many may ask, to be told so
_MAX_SURPLUS = 64  # connections too many that are waited for; of more the oldest go at once
_BACKLOG = range(16, 257)  # connections that are taken at one look at the port
_LOOKS = 4  # of these, before those of the first are counted


class Connections:
    """The connections of one server, by whose they are.

    Those of one address give way to each other: where it has as many as it may, the one that has rested longest makes
    room for a new one, and if none rests the new one is refused. Where all places are taken, who has most gives way.

    Args:
        settings: How many there may be.
        is_believed: Says whether an address is a proxy's: its connections are many visitors', and count in all alone.
        num_files: Open files that the system allows; None for any number.
    """

    def __init__(self, settings: Settings, is_believed: Callable[[str], bool], num_files: int | None = None) -> None:
        self._is_believed, self.idle_s = is_believed, settings.idle_connection_s
        allowed = num_files or 2**20
        self.backlog = min(max(allowed // 32, _BACKLOG[0]), _BACKLOG[-1])
        # A quarter of all files is for uploads and pictures.
        self.in_all = max(1, min(settings.max_connections, allowed * 3 // 4 - _LOOKS * self.backlog))
        self.of_address = max(1, min(settings.max_connections_of_address, self.in_all // 2))
        self._of: dict[str, dict[Connection, None]] = {}
        self._believed: dict[Connection, None] = {}
        self._surplus: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._believed) + sum(map(len, self._of.values()))

    def enter(self, new: "Connection", address: str) -> RequestError | None:
        """Take a new connection, or return why it is one too many."""
        owner = network_of(address)
        mine = self._believed if self._is_believed(address) else self._of.get(owner, {})
        error = self._make_room(mine)
        if error is None:
            (mine if mine is self._believed else self._of.setdefault(owner, {}))[new] = None
            return None
        logger.warning("a connection is refused: %s", type(error).__name__)
        self._surplus[new] = None
        if len(self._surplus) > _MAX_SURPLUS:
            next(iter(self._surplus)).end()
        return error

    def leave(self, one: "Connection", address: str) -> None:
        """Forget a connection that has ended."""
        owner = network_of(address)
        for group in (self._surplus, self._believed, self._of.get(owner, {})):
            group.pop(one, None)
        if not self._of.get(owner, True):
            del self._of[owner]

    def _make_room(self, mine: dict["Connection", None]) -> RequestError | None:
        if mine is not self._believed and len(mine) >= self.of_address and not _end_resting(mine):
            return TooManyConnections(limit=self.of_address)
        if len(self) < self.in_all:
            return None
        most = max(self._of.values(), key=len, default={})
        if len(most) <= len(mine) or not (_end_resting(most) or _end_oldest(most, self.of_address // 2)):
            return PageFull()
        return None


def counted(budget: Connections) -> type["Connection"]:
    """Return the protocol of a server whose connections are counted."""
    return type("Counted", (Connection,), {"budget": budget})


class Connection(H11Protocol):
    """One connection, which is counted, and closed if nothing is asked by it."""

    budget: ClassVar[Connections]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count a new connection; one too many is answered, and no more than that."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._rests_since, self._patience_s, self._is_over = self.loop.time(), self.budget.idle_s, False
        end_dead_connections(transport.get_extra_info("socket"), _DEAD_AFTER_S)
        if error := self.budget.enter(self, self._address):
            self.app, self._patience_s = _Refusing(self.app, error), _SURPLUS_S
        self._look_again = self.loop.call_later(self._patience_s, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Begin to rest."""
        self._rests_since = self.loop.time()
        super().on_response_complete()

    @property
    def rests(self) -> bool:
        """Whether nothing is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def end(self) -> None:
        """End the connection at once."""
        self._forget()
        self.transport.abort()

    def _forget(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._look_again.cancel()
            self.budget.leave(self, self._address)

    def _look(self) -> None:
        """End the connection if it has rested for too long; a request of which only a part has come counts as none."""
        left_s = self._rests_since + self._patience_s - self.loop.time() if self.rests else self._patience_s
        if left_s <= 0:
            self.end()
        else:
            self._look_again = self.loop.call_later(left_s, self._look)


class _Refusing:
    """What answers connections too many: with a sentence, and for operators as ever."""

    def __init__(self, app: Any, error: RequestError) -> None:
        self._app, self._error = app, error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == HEALTH:
            closing = [*scope["headers"], (b"connection", b"close")]
            scope["headers"] = closing  # by which the server knows that it has to close
            await self._app(scope, receive, send)
        else:
            await refuse(self._error, scope)(scope, receive, send)


def _end_resting(group: dict[Connection, None]) -> bool:
    """End the connection of a group that was opened first of those that rest; say whether there was one."""
    resting = next((each for each in group if each.rests), None)
    if resting is not None:
        resting.end()
    return resting is not None


def _end_oldest(group: dict[Connection, None], more_than: int) -> bool:
    """End the oldest connection of a group that is larger than any class."""
    if len(group) <= more_than:
        return False
    next(iter(group)).end()
    return True
