"""What of gradio's bookkeeping is left out, and that nothing is missed."""

from gradio_client import Client, handle_file

from demo.data.samples import EXAMPLES
from demo.ui.server import LeanSession
from tests.conftest import Server
from tests.visitor import Visitor


def test_a_visit_holds_no_description_of_the_page(server: Server) -> None:
    before = set(server.page.app.state_holder.session_data)
    Client(server.url, verbose=False, analytics_enabled=False).predict(
        handle_file(EXAMPLES[0].path), "", 5, api_name="/predict"
    )
    visitor = Visitor(server.url)
    visitor.close()
    states = [state for name, state in server.page.app.state_holder.session_data.items() if name not in before]
    assert len(states) >= 2
    num_components = len(server.page.blocks)
    for state in states:
        assert isinstance(state, LeanSession)
        assert len(state.config_values) < num_components / 4  # only those that an event has filled


def test_no_deep_link_is_offered_for_which_the_description_would_be_needed(server: Server) -> None:
    assert not [block for block in server.page.blocks.values() if block.get_block_name() == "deeplinkbutton"]


def test_two_visits_have_states_of_their_own(server: Server) -> None:
    first, second = Visitor(server.url), Visitor(server.url)
    assert first.token != second.token
    assert first.refresh().strip == second.refresh().strip
    first.close()
    second.close()
