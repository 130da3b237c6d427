"""The registry of visitors' sessions: token -> what one open page holds, until it expires."""

import secrets
import threading
import time
from collections.abc import Callable

from demo.models.state import ModelState
from demo.models.weights import usable_backbone
from demo.settings import Settings
from demo.visitors.errors import SessionExpired
from demo.visitors.session import Ref, Session

_NEW_S = 60.0  # for which an empty session is taken for one that has just begun
_RESTING_S = 600.0  # after which one that holds something may have to make room


class Sessions:
    """All sessions of the process, by a token that only the visitor's own page knows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        self.when_over: Callable[[Session], None] = lambda _session: None  # told of each session that ends

    def __len__(self) -> int:
        return len(self._sessions)

    def attach(self, token: str, *, page: str = "") -> Session:
        """Find the session of a page that was open before, or begin a new one under a new token.

        A token that is not known is never taken over: nobody can choose somebody else's.

        Args:
            token: What the page remembers; empty where it remembers nothing.
            page: gradio's name of the open page, by which `close_page` will tell that it was closed.
        """
        with self._lock:
            session = self._sessions.get(token)
            if session is None:
                self._make_room(1)
                session = Session(secrets.token_urlsafe(16), ModelState(usable_backbone(self._settings.backbone)))
                self._sessions[session.ref.token] = session
            session.presence.open_page(page)
        return session

    def close_page(self, page: str) -> None:
        """Note that a page was closed, or lost its connection; its session ends if none comes back for a while."""
        with self._lock:
            for session in self._sessions.values():
                session.presence.close_page(page)

    def end(self, token: str) -> None:
        """End a session now, if there is one; nothing of it stays in memory or on disk."""
        with self._lock:
            self._end(token)

    def seconds_left(self, ref: Ref) -> float:
        """Return how long a session lives on if nobody uses it; 0 where it is gone. Asking does not count as use."""
        session = self._sessions.get(ref.token)
        return max(0.0, self._expires(session) - time.monotonic()) if session else 0.0

    def find(self, ref: Ref) -> Session:
        """Return the session of a page, and note that it is in use.

        Raises:
            SessionExpired: If it is gone.
        """
        session = self._sessions.get(ref.token)
        if session is None:
            raise SessionExpired()
        session.presence.touch()
        return session

    def needed_backbones(self) -> set[str]:
        """Return the names of the backbones that visitors' heads are bound to."""
        with self._lock:
            heads = [session.state.head for session in self._sessions.values()]
        return {head.backbone_name for head in heads if head is not None}

    def sweep(self) -> None:
        """End the sessions that were idle for too long, and the longest idle where all together hold too much."""
        with self._lock:
            self._make_room(0)
            self._keep_budget(lambda session: session.memory_bytes, self._settings.max_session_memory_bytes)
            self._keep_budget(lambda session: session.disk_bytes, self._settings.max_session_disk_bytes)

    def _make_room(self, num_new: int) -> None:
        """End what was idle for too long, and where there are too many the longest idle."""
        surplus = len(self._sessions) + num_new - self._settings.max_sessions
        for position, session in enumerate(self._most_dispensable_first()):
            has_expired = self._expires(session) < time.monotonic() and not session.is_training
            if has_expired or position < surplus:
                self._end(session.ref.token)

    def _keep_budget(self, measure: Callable[[Session], int], budget: int) -> None:
        held = {session.ref.token: measure(session) for session in self._most_dispensable_first()}
        total = sum(held.values())
        for token, num_bytes in held.items():
            if total <= budget:
                return
            if num_bytes:
                self._end(token)
                total -= num_bytes

    def _most_dispensable_first(self) -> list[Session]:
        """Return all sessions, the one that would be missed least first, and those that train last.

        Whoever opens hundreds of pages drives away those of their own, not the work of others; and who has just come
        is not driven away by the next one, as long as others have left or rest.
        """
        return sorted(self._sessions.values(), key=lambda each: (each.is_training, _rank(each), each.presence.touched))

    def _expires(self, session: Session) -> float:
        """Return when a session ends, on the monotonic clock; one whose pages are all closed ends sooner."""
        idle_s = self._settings.session_closed_s if session.presence.was_left else self._settings.session_idle_s
        return session.presence.touched + min(idle_s, self._settings.session_idle_s)

    def _end(self, token: str) -> None:
        session = self._sessions.pop(token, None)
        if session is not None:
            session.end()
            self.when_over(session)


def _rank(session: Session) -> int:
    """Return how much a session would be missed: least of all one that was left, or is empty, or rests."""
    unused_s = session.presence.unused_s
    if session.presence.was_left:
        return 0
    if session.is_empty:
        return 1 if unused_s > _NEW_S else 3
    return 2 if unused_s > _RESTING_S else 4
