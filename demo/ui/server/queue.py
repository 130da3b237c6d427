"""gradio's queue, made fair: visitors take turns, however many events each of them has."""

import asyncio
import statistics
from collections import Counter
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers

from demo.entrance import network_of
from demo.errors import DemoError
from demo.ui.server.errors import QueueFull, TooManyPending
from demo.ui.server.gate import words_for
from demo.ui.server.internals import Event, ProcessCompletedMessage, Queue

READ_LINE = "read"  # the line of those who read much, which share the scheduler's turns
_LONGEST_REST_S = 1.0  # after which a queue sees that it was closed


class Rest(float):
    """The time between two looks of the queue's loop: until an event has come, or one has ended and left its place.

    gradio looks a thousand times a second, which is a twentieth of a core for nobody, and more where many wait.
    """

    def __new__(cls, longest_s: float, changed: asyncio.Event) -> "Rest":
        """Make a time that lasts so long at most."""
        rest = super().__new__(cls, longest_s)
        rest._changed = changed
        return rest

    _changed: asyncio.Event

    async def wait(self) -> None:
        """Wait for the next change; whoever rests has just looked at all that was before."""
        self._changed.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), self)


class FairQueue(Queue):
    """A queue that takes turns between visitors, limits the pending events of each, and rests while there is none."""

    max_pending = 24  # events of one page: a click with all panels open makes a dozen
    max_reading = 4  # running events of one page that read: each holds its place while others have their turn
    max_pending_of_address = 80  # events of programs, which have no page: a class may share one address
    share_of_network = 0.8  # of all places, for the pages and programs of one address, however many pages it makes up

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._changed = asyncio.Event()
        plain: Any = self
        plain.sleep_when_free = Rest(_LONGEST_REST_S, self._changed)
        # The loop that looks for gradio's bars: what our handlers tell on their way, they yield.
        plain.progress_update_sleep_when_free = _LONGEST_REST_S

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """Choose the next events to run: in each queue, visitors with the fewest running events come first."""
        held = {}
        for line in self.event_queue_per_concurrency_id.values():
            if line.queue:
                line.queue, held[line.concurrency_id] = self._take_turns(line.queue, line.concurrency_id)
        try:
            chosen: tuple[list[Event], bool, str] | None = super().get_events()
        finally:
            for name, events in held.items():
                self.event_queue_per_concurrency_id[name].queue += events
        return chosen

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """Add an event to its queue, or refuse it with a sentence."""
        refusal = self._find_refusal(body.session_hash, request)
        if refusal is not None:
            return False, words_for(Headers(raw=request.headers.raw)).explain(refusal), "error"
        try:
            return await super().push(body, request, username)
        finally:
            self._changed.set()

    async def process_events(self, *arguments: Any) -> None:
        """Run events to their end, and let the next ones have their places at once."""
        try:
            await super().process_events(*arguments)
        finally:
            self._changed.set()

    @property
    def is_busy(self) -> bool:
        """Whether an event waits or runs."""
        return bool(self._events())

    def dismiss(self, error: DemoError, *, runs_too: bool = False) -> None:
        """Answer the events that wait, and on request those that run, with an error; called by the server's thread."""
        dismissed = self._events() if runs_too else self._waiting()
        for line in self.event_queue_per_concurrency_id.values():
            line.queue.clear()
        for event in dismissed:
            sentence = words_for(Headers(raw=event.request.headers.raw)).explain(error)
            output = {"error": sentence, "visible": True}
            self.send_message(event, ProcessCompletedMessage(output=output, success=False))
            event.alive = False

    def count_lines(self) -> dict[str, tuple[int, int]]:
        """Return how many events wait and run in each line; those without a name are one, `light`."""
        waiting, running = Counter[str](), Counter[str]()
        for event in self._running():
            running[_name_line(event.concurrency_id)] += 1
        for line in self.event_queue_per_concurrency_id.values():
            waiting[_name_line(line.concurrency_id)] += len(line.queue)
        return {name: (waiting[name], running[name]) for name in sorted({*waiting, *running})}

    def _find_refusal(self, session_hash: str | None, request: Any) -> DemoError | None:
        # gradio refuses events beyond `max_size` itself, but in English alone and without an estimate of the wait.
        if self.max_size is not None and len(self) >= self.max_size:
            return QueueFull(count=len(self), seconds=self._estimate_s())
        network = _network_of(request)
        num_pending = sum(_network_of(each.request) == network for each in self._events())
        if self.max_size is not None and num_pending >= self.share_of_network * self.max_size:
            return TooManyPending(count=num_pending)
        owner = self._owner(session_hash, request)
        num_pending = sum(self._owner(each.session_hash, each.request) == owner for each in self._events())
        limit = self.max_pending if owner == session_hash else self.max_pending_of_address
        return TooManyPending(count=num_pending) if num_pending >= limit else None

    def _take_turns(self, waiting: list[Event], concurrency_id: str) -> tuple[list[Event], list[Event]]:
        """Return waiting events in the order of turns: each visitor's first, then each visitor's second, and so on.

        Running events count too, so that two events of one visitor never run while another visitor's waits. Apart are
        those whose visitor has as many that read as one may.
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
        in_order = sorted(range(len(waiting)), key=turns.__getitem__)
        held = {idx for idx in in_order if concurrency_id == READ_LINE and turns[idx] >= self.max_reading}
        return [waiting[idx] for idx in in_order if idx not in held], [waiting[idx] for idx in in_order if idx in held]

    def _owner(self, session_hash: str | None, request: Any) -> str:
        """Return the owner of an event: an open page, or the address of a program, which has no page."""
        if session_hash and session_hash in self.blocks.state_holder:
            return session_hash
        return f"address {_network_of(request)}"

    def _events(self) -> list[Event]:
        return [*self._running(), *self._waiting()]

    def _waiting(self) -> list[Event]:
        return [event for line in self.event_queue_per_concurrency_id.values() for event in line.queue]

    def _running(self) -> list[Event]:
        return [event for job in self.active_jobs if job is not None for event in job]

    def _estimate_s(self) -> float:
        """Estimate in how many seconds the queue will have room, from the durations of earlier events."""
        durations = [each.avg_time for each in self.process_time_per_fn.values()]
        return max(1.0, statistics.median(durations) * len(self) / 4) if durations else 10.0


def _network_of(request: Any) -> str:
    """Return whose network an event came from."""
    return network_of(request.client.host if request.client else "")


def _name_line(concurrency_id: str) -> str:
    """Return the name of a line; gradio numbers those of events that wait for nobody."""
    return "light" if concurrency_id.isdecimal() else concurrency_id
