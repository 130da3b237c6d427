"""The queue that takes turns."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.queueing import Event, Queue

from demo.ui.server.errors import QueueFull, ServerEnding, TooManyPending
from demo.ui.server.queue import READ_LINE, FairQueue, Rest
from demo.ui.server.visits import Visits
from demo.words.language import CHINESE, ENGLISH
from tests.patience import PATIENCE_S
from tests.served import Server
from tests.visitor import Refused, Visitor


def request(host: str = "10.0.0.1", language: str = "en") -> Any:
    return SimpleNamespace(
        client=SimpleNamespace(host=host), headers=SimpleNamespace(raw=[(b"accept-language", language.encode())])
    )


@pytest.fixture
def queue() -> FairQueue:
    """A queue of a page with one event, on which nothing is served; all sessions of one letter are open pages."""
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Button().click(lambda: None, None, None, concurrency_id="work", concurrency_limit=2)
    visits = Visits(page, capacity=100)
    visits.session_data.update({letter: visits[letter] for letter in "abcdefgh"})
    queue = FairQueue(True, 4, 1, 20, page)
    queue.create_event_queue_for_fn(page.fns[0])
    queue.active_jobs = [None] * 4
    return queue


def wait_in(queue: FairQueue, *session_hashes: str) -> None:
    for session_hash in session_hashes:
        event = Event(session_hash, queue.blocks.fns[0], request(), None)
        queue.event_queue_per_concurrency_id["work"].queue.append(event)


def run_next(queue: FairQueue) -> str:
    """Choose the next event, let it run, and say whose it is."""
    chosen = queue.get_events()
    assert chosen is not None
    queue.active_jobs[queue.active_jobs.index(None)] = chosen[0]
    session_hash: str = chosen[0][0].session_hash
    return session_hash


def test_visitors_take_turns(queue: FairQueue) -> None:
    wait_in(queue, "a", "a", "a", "b", "c", "b")
    assert [run_next(queue) for _ in range(4)] == ["a", "b", "c", "a"]


def test_one_who_waits_alone_is_served_in_order(queue: FairQueue) -> None:
    wait_in(queue, "a", "a")
    first, second = queue.event_queue_per_concurrency_id["work"].queue
    assert queue.get_events() == ([first], False, "work")
    assert queue.get_events() == ([second], False, "work")


def test_who_reads_holds_few_places(queue: FairQueue) -> None:
    line = queue.event_queue_per_concurrency_id["work"]
    queue.event_queue_per_concurrency_id[READ_LINE] = queue.event_queue_per_concurrency_id.pop("work")
    line.concurrency_id, line.concurrency_limit, queue.active_jobs = READ_LINE, None, [None] * 8
    for each in "aaaaaab":
        event = Event(each, queue.blocks.fns[0], request(), None)
        event.concurrency_id = READ_LINE
        line.queue.append(event)
    assert [run_next(queue) for _ in range(5)] == ["a", "b", "a", "a", "a"]
    assert queue.get_events() is None
    queue.active_jobs[0] = None
    assert run_next(queue) == "a"


def test_what_runs_counts_too(queue: FairQueue) -> None:
    wait_in(queue, "a")
    assert run_next(queue) == "a"
    wait_in(queue, "a", "a", "b")
    assert run_next(queue) == "b"


def test_programs_of_one_address_are_one_visitor(queue: FairQueue) -> None:
    wait_in(queue, "random1", "random2", "random3", "a")
    assert [run_next(queue) for _ in range(3)] == ["random1", "a", "random2"]


def push(queue: FairQueue, session_hash: str | None, **who: Any) -> tuple[bool, str, str]:
    body = SimpleNamespace(session_hash=session_hash, fn_index=0, event_id=None)
    answer: tuple[bool, str, str] = asyncio.run(queue.push(body, request(**who), None))
    return answer


@pytest.mark.parametrize(("language", "words"), [("en", ENGLISH), ("zh-CN", CHINESE)])
def test_nobody_has_more_than_so_many(queue: FairQueue, language: str, words: Any) -> None:
    queue.max_pending, queue.max_size = 3, 100
    wait_in(queue, "a", "a", "a")
    assert push(queue, "a", language=language) == (False, words.explain(TooManyPending(count=3)), "error")
    assert (push(queue, "b"))[0]


def test_no_address_without_a_page_has_more_than_so_many(queue: FairQueue) -> None:
    queue.max_pending_of_address, queue.max_size = 2, 100
    wait_in(queue, "random1", "random2")
    assert (push(queue, None))[1] == ENGLISH.explain(TooManyPending(count=2))
    assert (push(queue, None, host="10.0.0.2"))[0]
    assert (push(queue, "a"))[0]  # a page that is open at the same address


def test_no_network_fills_all_places_by_many_pages(queue: FairQueue) -> None:
    queue.max_size = 10
    wait_in(queue, *"abcdefgh")
    refusal = queue._find_refusal("a", request())
    assert isinstance(refusal, TooManyPending)
    assert queue._find_refusal("a", request("10.0.0.2")) is None


def test_a_full_queue_says_how_long(queue: FairQueue) -> None:
    queue.max_size = 2
    queue.process_time_per_fn[queue.blocks.fns[0]].add(10.0)
    wait_in(queue, "a", "b")
    assert push(queue, "c") == (False, ENGLISH.explain(QueueFull(count=2, seconds=5.0)), "error")


def test_the_page_says_so(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Visitor(server.url)
    monkeypatch.setattr(server.page._queue, "max_pending", 0)
    with pytest.raises(Refused, match="0 of your requests are still being answered"):
        visitor.call("keep_photo")
    visitor.close()


def test_a_queue_rests_until_an_event_comes_or_leaves_its_place(
    queue: FairQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rest_meanwhile(change: Callable[[], Awaitable[Any]]) -> bool:
        """Say whether the queue rests as long as nothing happens; then something does, and it wakes."""
        resting = asyncio.create_task(queue.sleep_when_free.wait())
        await asyncio.sleep(0.1)  # a hundred times as long as gradio's own pause
        rests = not resting.done()
        await change()
        await asyncio.wait_for(resting, PATIENCE_S)  # by itself it would rest for longer
        return rests

    async def push() -> None:
        await queue.push(SimpleNamespace(session_hash="a", fn_index=0, event_id=None), request(), None)

    async def look() -> list[bool]:
        return [await rest_meanwhile(change) for change in (push, lambda: queue.process_events([], False, 0.0, None))]

    async def run(*_arguments: Any) -> None:
        assert len(queue) == 1  # while it waits, nobody has to look for its place

    queue.sleep_when_free = Rest(10 * PATIENCE_S, queue._changed)
    monkeypatch.setattr(Queue, "process_events", run)
    assert asyncio.run(look()) == [True, True]


def test_no_handler_has_a_bar_that_the_queue_looks_for(server: Server) -> None:
    assert not [each.name for each in server.page.fns.values() if each.tracks_progress]


@pytest.mark.usefixtures("server")
def test_the_served_queue_looks_about_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = itertools.count()
    monkeypatch.setattr(FairQueue, "__len__", lambda _: 0 * next(looks))
    time.sleep(1.0)
    assert next(looks) < 20


def test_at_the_end_those_who_wait_are_told_first_and_those_who_are_answered_at_last(queue: FairQueue) -> None:
    queue.pending_messages_per_session.update({each: asyncio.Queue() for each in "abc"})
    wait_in(queue, "a", "b", "c")
    assert run_next(queue) == "a"
    queue.dismiss(ServerEnding())
    answered = {each: queue.pending_messages_per_session[each].qsize() for each in "abc"}
    assert answered == {"a": 0, "b": 1, "c": 1}
    assert queue.is_busy
    queue.dismiss(ServerEnding(), runs_too=True)
    told: Any = queue.pending_messages_per_session["a"].get_nowait()
    assert (told.success, told.output["error"]) == (False, ENGLISH.explain(ServerEnding()))
    assert len(queue) == 0
