"""What of gradio's bookkeeping is left out, and that nothing is missed."""

from typing import Any

import gradio as gr
import pytest
from gradio_client import Client, handle_file

from demo.data.samples import find_example
from demo.settings import Settings
from demo.ui.server.gate import Gate
from demo.ui.server.launch import launch
from demo.ui.server.visits import Visit, Visits
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from tests.served import Server
from tests.visitor import Visitor


def test_a_visit_holds_its_states_and_nothing_that_was_shown(server: Server) -> None:
    before = set(server.page.app.state_holder.session_data)
    visitor = Visitor(server.url)
    visitor.call("make_class", "a name that is typed")
    visitor.close()
    (visit,) = [state for name, state in server.page.app.state_holder.session_data.items() if name not in before]
    assert isinstance(visit, Visit)
    assert not visit.config_values
    assert visitor.token in {value.token for value in visit.state_data.values() if isinstance(value, Ref)}


def test_a_program_leaves_no_visit(server: Server) -> None:
    before = set(server.page.app.state_holder.session_data)
    client = Client(server.url, verbose=False, analytics_enabled=False)
    client.predict(handle_file(find_example("cat").path), "", 5, api_name="/predict")
    client.close()
    assert set(server.page.app.state_holder.session_data) == before


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
    assert rooms.arrival.over.wait(60)
    assert holders == {Visits}
    assert isinstance(page.state_holder, Visits)
    assert page.state_holder.capacity == 2 * settings.max_sessions


def test_no_deep_link_is_offered_for_which_the_description_would_be_needed(server: Server) -> None:
    assert not [block for block in server.page.blocks.values() if block.get_block_name() == "deeplinkbutton"]


def test_two_visits_have_states_of_their_own(server: Server) -> None:
    first, second = Visitor(server.url), Visitor(server.url)
    assert first.token != second.token
    assert first.refresh().strip == second.refresh().strip
    first.close()
    second.close()
