"""What of gradio's bookkeeping is left out, and that nothing is missed."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client, handle_file

from demo.data.samples import find_example
from demo.settings import Settings
from demo.ui.lifetime.upkeep import sweep_up
from demo.ui.server.gate import Gate
from demo.ui.server.internals import get_upload_folder, queue_of
from demo.ui.server.launch import launch
from demo.ui.server.visits import Visit, Visits
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.language import ENGLISH
from tests.pictures import encode, noise
from tests.served import Server
from tests.visitor import Refused, Visitor


def test_a_visit_holds_its_states_and_nothing_that_was_shown(server: Server) -> None:
    before = set(server.page.app.state_holder.session_data)
    visitor = Visitor(server.url)
    visitor.call("make_class", "a name that is typed")
    visitor.close()
    (visit,) = [state for name, state in dict(server.page.app.state_holder.session_data).items() if name not in before]
    assert isinstance(visit, Visit)
    assert not visit.config_values
    assert visitor.token in {value.token for value in visit.state_data.values() if isinstance(value, Ref)}


def test_a_program_leaves_no_visit(server: Server) -> None:
    before = set(server.page.app.state_holder.session_data)
    client = Client(server.url, verbose=False, analytics_enabled=False)
    client.predict(handle_file(find_example("cat").path), "", 5, api_name="/predict")
    client.close()
    assert set(server.page.app.state_holder.session_data) <= before  # of which some may be swept meanwhile


def test_events_that_begin_a_visit_at_the_same_time_share_its_states(server: Server) -> None:
    visits = Visits(server.page, capacity=10)
    first, second = visits["new"], visits["new"]
    keys = [key for key, block in server.page.blocks.items() if isinstance(block, gr.State)][:2]
    first[keys[0]] = "written first"
    second[keys[1]] = "written second"
    for visit in (first, second, visits["new"]):  # gradio looks into its own for what has changed
        assert [visit[key] for key in keys] == ["written first", "written second"]
    server.page.state_holder = server.page.app.state_holder


def test_no_page_is_so_early_that_its_states_are_kept_elsewhere(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders: set[type] = set()
    let_through = Gate.__call__

    async def note(gate: Gate, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            holders.add(type(scope["app"].state_holder))
        await let_through(gate, scope, receive, send)

    monkeypatch.setattr(Gate, "__call__", note)
    rooms = Rooms.of(settings)
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Button()
    launch(page, rooms, wait=False, quiet=True)  # gradio itself asks it for something before it returns
    page.close()
    assert rooms.arrival.over.wait(240)
    assert holders == {Visits}
    assert isinstance(page.state_holder, Visits)
    assert page.state_holder.capacity == 2 * settings.max_sessions


def test_no_deep_link_is_offered_for_which_the_description_would_be_needed(server: Server) -> None:
    assert not [block for block in server.page.blocks.values() if block.get_block_name() == "deeplinkbutton"]


def test_a_page_whose_state_was_dropped_has_its_session_again_and_no_other(server: Server) -> None:
    visits = server.page.app.state_holder
    one, other = Visitor(server.url), Visitor(server.url)
    visits.forget(one._session_hash)
    assert one.refresh().strip == other.refresh().strip  # nothing is said of an end
    refs = [value.token for value in visits[one._session_hash].state_data.values() if isinstance(value, Ref)]
    assert set(refs) == {one.token}
    server.rooms.sessions.end(one.token)
    with pytest.raises(Refused, match="ended"):
        one.refresh()
    one.close()
    other.close()


def test_a_clock_that_jumps_ends_no_visit_and_no_upload(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    visitor, photo = Visitor(server.url), tmp_path / "photo.png"
    photo.write_bytes(encode(noise(1, (32, 32))))
    folder = Path(get_upload_folder())
    unread = Path(visitor.upload(photo)["path"])
    server.page.app.state_holder.session_data[visitor._session_hash].is_closed = True  # its connection was cut once
    for jump_s in (7200.0, -14_400.0):
        written = time.time() - jump_s  # as the files look once the clock has jumped
        for path in (unread, unread.parent):
            os.utime(path, (written, written))
        clock = time.time
        monkeypatch.setattr(time, "time", lambda clock=clock, jump_s=jump_s: clock() + jump_s)
        sweep_up(server.page, server.rooms, server.page.app.state_holder, folder)
        assert unread.is_file()
        assert ENGLISH.strip.network in visitor.refresh().strip
        monkeypatch.undo()
    visitor.close()


def test_the_mailbox_of_a_program_stays_as_long_as_it_is_used(server: Server) -> None:
    queue, visits = queue_of(server.page), Visits(server.page, capacity=10)
    mailboxes, open_events = queue.pending_messages_per_session, queue.pending_event_ids_session
    mailboxes["program"] = asyncio.Queue()  # nobody looks into it

    def stays(after_s: float, *events: str) -> bool:
        """Say whether it outlives a sweep so long after the last one, with events that are open by then."""
        before, since = visits._left.get("program", (frozenset(), 0.0))
        visits._left["program"] = before, since - after_s
        open_events["program"] = set(events)
        visits.sweep(closed_s=1200.0, idle_s=3600.0)
        return "program" in mailboxes

    assert all(stays(1300.0, each) for each in "abc"), "one event after the other"
    assert [stays(10.0), stays(10.0), stays(10.0)] == [True, True, False], "its last answer was fetched"
    mailboxes["program"] = asyncio.Queue()
    assert [stays(0.0, "d"), stays(1000.0, "d"), stays(300.0, "d")] == [True, True, False], "nobody fetches the answer"
    server.page.state_holder = server.page.app.state_holder


def test_two_visits_have_states_of_their_own(server: Server) -> None:
    first, second = Visitor(server.url), Visitor(server.url)
    assert first.token != second.token
    assert first.refresh().strip == second.refresh().strip
    first.close()
    second.close()
