"""The registry of visitors' sessions, by token, until they expire."""

import secrets
import threading
import time
from collections.abc import Callable

from demo.models.state import ModelState
from demo.models.weights import usable_backbone
from demo.settings import Settings
from demo.tasks.features import CommonFeatures
from demo.visitors.errors import SessionExpired
from demo.visitors.session import Ref, Session

_NEW_S = 60.0  # time for which an empty session counts as just begun
_RESTING_S = 600.0  # time without use after which a session that holds something may have to make room


class Sessions:
    """All sessions of the process, by a token that only the visitor's own page knows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sessions: dict[str, Session] = {}
        self.common = CommonFeatures()
        self._lock = threading.Lock()
        self.when_over: Callable[[Session], None] = lambda _session: None  # called with each session that ends

    def __len__(self) -> int:
        return len(self._sessions)

    def attach(self, token: str, *, page: str = "") -> Session:
        """Find the session of a page that was open before, or begin a new one under a new token.

        An unknown token is never used for the new session, so that no visitor can choose a token.

        Args:
            token: Token that the page remembers; empty if it remembers none.
            page: gradio's session hash of the open page; `close_page` gets the same one.
        """
        with self._lock:
            session = self._sessions.get(token)
            if session is None:
                self._make_room(1)
                state = ModelState(usable_backbone(self._settings.backbone))
                session = Session(secrets.token_urlsafe(16), state, self.common)
                self._sessions[session.ref.token] = session
            session.presence.open_page(page)
        return session

    def close_page(self, page: str) -> None:
        """Note that a page was closed, or lost its connection; its session ends earlier if no page opens again."""
        with self._lock:
            for session in self._sessions.values():
                session.presence.close_page(page)

    def end(self, token: str) -> None:
        """End a session now, if there is one; nothing of it stays in memory or on disk."""
        with self._lock:
            self._end(token)

    def token_of(self, page: str) -> str:
        """Return the token of the session that a page belongs to, open or closed; nothing if it is none's."""
        with self._lock:
            for token, session in self._sessions.items():
                if session.presence.knows(page):
                    return token
        return ""

    def seconds_left(self, ref: Ref) -> float:
        """Return how long a session lasts without further use; 0 if it is gone. Asking does not count as use."""
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
        """Return the names of the backbones that visitors' heads belong to."""
        with self._lock:
            heads = [session.state.head for session in self._sessions.values()]
        return {head.backbone_name for head in heads if head is not None}

    def sweep(self) -> None:
        """End the sessions that were idle for too long, and more while all together take too much memory or disk."""
        with self._lock:
            self._make_room(0)
            self._keep_budget(lambda session: session.memory_bytes, self._settings.max_session_memory_bytes)
            self._keep_budget(lambda session: session.disk_bytes, self._settings.max_session_disk_bytes)

    def _make_room(self, num_new: int) -> None:
        """End the sessions that were idle for too long, and the most dispensable ones if there are too many."""
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
        """Return all sessions, the most dispensable first, and those that train at the end.

        A visitor who opens hundreds of pages ends their own empty sessions, not the work of others. A session that has
        just begun is not ended for the next one while others were left or are resting.
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
    """Return the rank of a session by which it is ended, from 0: left, empty, resting, just begun, in use."""
    unused_s = session.presence.unused_s
    if session.presence.was_left:
        return 0
    if session.is_empty:
        return 1 if unused_s > _NEW_S else 3
    return 2 if unused_s > _RESTING_S else 4
