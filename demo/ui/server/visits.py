"""gradio's state of each visit, cut down so that it keeps no input or output of a visitor."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gradio as gr

from demo.ui.server.internals import Queue, SessionState, StateHolder, queue_of
from demo.visitors.session import Ref

_DELIVERED_S = 15.0  # time for which a mailbox without an event stays, for a stream that is just ending


class Visit(SessionState):
    """gradio's state of one open page: its `gr.State`s, and the components that events have changed.

    gradio also keeps what went in and out of every component, and a description of all of them for deep links, which
    this page has none of. For each new visitor and each call of the API that takes a third of a megabyte, and
    25 ms in which no one else is answered; and it keeps data that a visitor has asked to be forgotten.
    """

    def __init__(self, blocks: gr.Blocks, home: "Visits", session_hash: str) -> None:
        nothing_to_describe: Any = SimpleNamespace(default_config=blocks.default_config, blocks={})
        super().__init__(nothing_to_describe)
        self._home, self._session_hash = home, session_hash

    def __setitem__(self, key: int, value: Any) -> None:
        """Set a state's or a component's value; the first state makes the visit last."""
        if isinstance(self.blocks_config.blocks.get(key), gr.State):
            # Events of one page may run at once before its visit lasts; from here on they share its states.
            self.state_data = self._home.session_data.setdefault(self._session_hash, self).state_data
            self.state_data[key] = value
        else:
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Keep no description."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Keep no value."""


class Visits(StateHolder):
    """gradio's states of all open pages. A call of the API has no states, and leaves nothing.

    Its times are those of the monotonic clock; gradio's own jump with that of the wall.

    Args:
        page: The page.
        capacity: Most visits at a time.
        token_of: Returns the token of the session that a page belongs to, by gradio's session hash; or nothing.
    """

    def __init__(self, page: gr.Blocks, capacity: int, token_of: Callable[[str], str] = lambda _page: "") -> None:
        super().__init__()
        self.set_blocks(page)
        self.capacity = capacity
        self._token_of = token_of
        self._refs = [key for key, block in page.blocks.items() if isinstance(getattr(block, "value", None), Ref)]
        self._used: dict[str, float] = {}
        self._left: dict[str, tuple[frozenset[str], float]] = {}  # mailboxes' open events, and since when

    def __getitem__(self, session_id: str) -> SessionState:
        """Return the state of a visit, or a new one: for this event alone, unless a session knows the page."""
        visit = self.session_data.get(session_id)
        if visit is None:
            visit = Visit(self.blocks, self, session_id)
            if token := self._token_of(session_id):
                self._restore(visit, token)
        if session_id in self.session_data:
            self.update(session_id)
            self._used[session_id] = time.monotonic()
        return visit

    def _restore(self, visit: Visit, token: str) -> None:
        """Give a page whose state was dropped its session again; nothing else in its states is not as at the first."""
        for key in self._refs:
            visit[key] = Ref(token)

    def delete_all_expired_state(self) -> None:
        """Do nothing: a visit ends with the visitor's session, not state by state after gradio's hour."""

    def sweep(self, *, closed_s: float, idle_s: float) -> None:
        """Forget the pages that have not been used for the given time, a shorter one if they were closed.

        Answers that were not fetched for the time of a closed page are dropped as well.
        """
        now = time.monotonic()
        for session_hash, visit in list(self.session_data.items()):
            unused_s = now - self._used.setdefault(session_hash, now)
            if unused_s > (closed_s if visit.is_closed else idle_s):
                self.forget(session_hash)
        for session_hash in set(self._used) - set(self.session_data):  # there was no room for them
            self._used.pop(session_hash, None)
        self._sweep_answers(closed_s)

    def forget(self, session_hash: str) -> None:
        """Drop the state of a page and, unless one of its events is running, the answers that it has not fetched."""
        self.session_data.pop(session_hash, None)
        self._used.pop(session_hash, None)
        answers = self._queue.pending_messages_per_session.get(session_hash)
        if answers is not None and not self._queue.pending_event_ids_session.get(session_hash):
            while not answers.empty():  # the queue is emptied, not removed, because the page may be listening
                answers.get_nowait()

    @property
    def _queue(self) -> Queue:
        return queue_of(self.blocks)

    def _sweep_answers(self, unfetched_s: float) -> None:
        """Remove the mailboxes of pages that are gone and of programs; gradio keeps up to 2,000 of them.

        A mailbox without open events for a while has had its last answer fetched; others wait for their readers. One
        whose events change is in use.
        """
        queue, now, before = self._queue, time.monotonic(), self._left
        left = set(queue.pending_messages_per_session) - set(self.session_data)
        events = {each: frozenset(queue.pending_event_ids_session.get(each, ())) for each in left}
        self._left = {
            each: before[each] if each in before and before[each][0] == events[each] else (events[each], now)
            for each in left
        }
        for session_hash, (open_events, since) in self._left.items():
            if now - since > (unfetched_s if open_events else _DELIVERED_S):
                queue.pending_messages_per_session.pop(session_hash, None)
                queue.pending_event_ids_session.pop(session_hash, None)
