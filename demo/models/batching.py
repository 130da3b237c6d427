"""Pictures that wait together go through a network together, and nobody waits for a batch to fill."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from demo.models.late import Tensor, torch
from demo.models.plan import Plan, Watch
from demo.system import num_cores


class Answers(NamedTuple):
    """What a network answers for N pictures: features (N, D) and logits (N, K), float32 on the CPU."""

    features: Tensor
    logits: Tensor


@dataclass(eq=False)
class _Ticket:
    """One caller's pictures; `woken` is set when the answers or the error are there, or the caller has to lead."""

    pictures: Tensor
    woken: threading.Event = field(default_factory=threading.Event)
    to_lead: list[_Ticket] = field(default_factory=list)
    answers: Answers | None = None
    error: BaseException | None = None


class Batcher:
    """Runs a forward pass for callers in many threads; it has no thread of its own.

    A caller leads a pass at once if fewer are running than may. At its end the leader makes the longest waiting callers
    the next batch, and wakes the first of them to lead it.
    """

    def __init__(
        self,
        forward: Callable[[Tensor], Answers],
        plan: Plan,
        *,
        is_alone: bool = False,
        when_off: Callable[[], object] = lambda: None,
    ) -> None:
        """Begin without callers.

        Args:
            forward: The network: pictures (N, 3, H, W) to answers for N pictures.
            plan: How many threads a pass has, and how many pictures; it may be exchanged at any time.
            is_alone: Whether only one pass may run at a time; otherwise as many as find cores of their own, and two.
            when_off: Called by the leader of a pass after which the plan has to be measured anew.
        """
        self._forward, self.plan, self._is_alone, self._when_off = forward, plan, is_alone, when_off
        self._watch = Watch()
        self._num_running = 0
        self._waiting: deque[_Ticket] = deque()
        self._lock = threading.Lock()

    def run(self, pictures: Tensor) -> Answers:
        """Return the answers for pictures (N, 3, H, W), which may share a forward pass with those of others.

        Raises:
            Exception: What the forward pass raised, to all callers that shared it.
        """
        ticket = _Ticket(pictures)
        with self._lock:
            self._waiting.append(ticket)
            if self._num_running < self._num_passes():
                self._num_running += 1
                self._wake_next()
        ticket.woken.wait()
        if ticket.to_lead:
            self._lead(ticket.to_lead)
        if ticket.error is not None:
            raise ticket.error
        assert ticket.answers is not None, "a pass ends with answers or an error"
        return ticket.answers

    def _num_passes(self) -> int:
        """Return how many passes may run side by side; they share the processor's cores."""
        return 1 if self._is_alone else max(2, num_cores() // self.plan.num_threads)

    def _lead(self, tickets: list[_Ticket]) -> None:
        is_off = False
        try:
            with self._lock:
                num_threads = min(self.plan.num_threads, max(1, num_cores() // self._num_running))
            pictures, start = torch.cat([ticket.pictures for ticket in tickets]), time.perf_counter()
            with set_num_threads(num_threads):
                answers = self._forward(pictures)  # (sum of N, 3, H, W)
            if len(pictures) == 1 and num_threads == self.plan.num_threads:
                is_off = self._watch.note(self.plan, time.perf_counter() - start)
            counts = [len(ticket.pictures) for ticket in tickets]
            for ticket, *rows in zip(tickets, *(each.split(counts) for each in answers), strict=True):
                ticket.answers = Answers(*rows)
        except BaseException as error:
            for ticket in tickets:
                ticket.error = error
        with self._lock:
            if self._waiting:
                self._wake_next()
            else:
                self._num_running -= 1
        for ticket in tickets:
            ticket.woken.set()
        if is_off:
            self._when_off()

    def _wake_next(self) -> None:
        """Make the longest waiting tickets the next batch, and wake the first of them to lead it."""
        tickets = [self._waiting.popleft()]
        num_pictures = len(tickets[0].pictures)
        while self._waiting and num_pictures + len(self._waiting[0].pictures) <= self.plan.max_batch:
            tickets.append(self._waiting.popleft())
            num_pictures += len(tickets[-1].pictures)
        tickets[0].to_lead = tickets
        tickets[0].woken.set()


@contextmanager
def set_num_threads(number: int) -> Iterator[None]:
    """Set the number of threads that torch uses for the computations of this thread.

    Each computing thread has a pool of its own, whose members wait for each other after every step. While many threads
    compute at once, one thread for each is much faster.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
