"""gradio's queue, made fair: whoever asks for much waits behind those who ask for little."""

import statistics
from collections import Counter
from typing import Any

from starlette.datastructures import Headers

from demo.errors import DemoError
from demo.ui.server.errors import QueueFull, TooManyPending
from demo.ui.server.gate import words_for
from demo.ui.server.internals import Event, Queue


class FairQueue(Queue):
    """A queue that takes turns between visitors, and in which nobody has more than so many events."""

    max_pending = 24  # of one page: a click with all panels open asks for a dozen things
    max_pending_of_address = 80  # of programs, which have no page: a class is behind one address

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """Choose what to run next: of each line, first the visitor who has the fewest events running."""
        for line in self.event_queue_per_concurrency_id.values():
            if len(line.queue) > 1:
                line.queue = self._take_turns(line.queue, line.concurrency_id)
        chosen: tuple[list[Event], bool, str] | None = super().get_events()
        return chosen

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """Put an event in its line, or say why not."""
        refusal = self._find_refusal(body.session_hash, request)
        if refusal is not None:
            return False, words_for(Headers(raw=request.headers.raw)).explain(refusal), "error"
        return await super().push(body, request, username)

    def _find_refusal(self, session_hash: str | None, request: Any) -> DemoError | None:
        # Of all that is gradio's own sentence too, but in English alone and without saying how long.
        if self.max_size is not None and len(self) >= self.max_size:
            return QueueFull(count=len(self), seconds=self._estimate_s())
        owner = self._owner(session_hash, request)
        num_pending = sum(self._owner(each.session_hash, each.request) == owner for each in self._events())
        limit = self.max_pending if owner == session_hash else self.max_pending_of_address
        return TooManyPending(count=num_pending) if num_pending >= limit else None

    def _take_turns(self, waiting: list[Event], concurrency_id: str) -> list[Event]:
        """Return a line in the order of turns: everybody's first event, then everybody's second, and so on.

        Those that run count too, so that two events of one visitor never run while somebody else's waits.
        """
        seen = Counter(
            self._owner(event.session_hash, event.request)
            for event in self._running()
            if event.concurrency_id == concurrency_id
        )
        turns = []
        for event in waiting:
            owner = self._owner(event.session_hash, event.request)
            turns.append(seen[owner])
            seen[owner] += 1
        return [waiting[idx] for idx in sorted(range(len(waiting)), key=turns.__getitem__)]

    def _owner(self, session_hash: str | None, request: Any) -> str:
        """Return whose an event is: an open page's, or all that come from one address without a page."""
        if session_hash and session_hash in self.blocks.state_holder:
            return session_hash
        return f"address {request.client.host if request.client else ''}"

    def _events(self) -> list[Event]:
        waiting = [event for line in self.event_queue_per_concurrency_id.values() for event in line.queue]
        return [*self._running(), *waiting]

    def _running(self) -> list[Event]:
        return [event for job in self.active_jobs if job is not None for event in job]

    def _estimate_s(self) -> float:
        """Return in how many seconds there will be room, by what events have taken so far."""
        durations = [each.avg_time for each in self.process_time_per_fn.values()]
        return max(1.0, statistics.median(durations) * len(self) / 4) if durations else 10.0
