"""The place that an address names: what is read of it, what it changes, and what is only said."""

import pytest

from demo.data.starters import STARTERS
from demo.models.zoo import EMBEDDED
from demo.ui.address import PANELS, Place, draw_link, read_place
from demo.ui.page import Opened
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH, Words
from tests.served import Server
from tests.visitor import Markup, Visit, Visitor, best_classes, fill

BOTH = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])


@pytest.mark.parametrize(
    ("query", "place", "wrong"),
    [
        ("", Place(), ()),
        ("?tab=inside&panel=erase&example=cat", Place(tab="inside", panel="erase", example="cat"), ()),
        (f"network={EMBEDDED}&set=signs&view=projector", Place(network=EMBEDDED, set="signs", view="projector"), ()),
        ("?__theme=dark&view=api", Place(), ("view=api",)),
        ("?tab=nowhere&example=dog", Place(), ("tab=nowhere", "example=dog")),
        ("?panel=erase", Place(), ("panel=erase",)),  # there is none of that name in the first tab
        ("?panel=history", Place(panel="history"), ()),
        ("?example=%3Cscript%3E" + "x" * 100, Place(), ("example=<script>" + "x" * 22,)),
        ("?" + "a=1&" * 50, Place(), (("?" + "a=1&" * 50)[:30],)),
        ("?recipe=epochs:3,optimizer:sgd", Place(recipe="epochs:3,optimizer:sgd"), ()),
    ],
)
def test_what_an_address_says_is_read_and_the_rest_is_named(query: str, place: Place, wrong: tuple[str, ...]) -> None:
    assert read_place(query) == (place, wrong)


@BOTH
def test_a_link_is_a_fold_with_a_code_that_needs_no_request(words: Words) -> None:
    closed, drawn = draw_link(words), draw_link(words, 'http://here/?tab=inside&x="><b>')
    assert "open" not in [name for name, _ in Markup(closed).attributes]
    assert "svg" in Markup(drawn).elements
    assert "b" not in Markup(drawn).elements
    assert 'http://here/?tab=inside&x="><b>' in Markup(drawn).values("value")
    assert "http" not in drawn.replace("http://here", "").replace("http://www.w3.org/2000/svg", "")


def test_the_address_is_drawn_for_whoever_asks(visit: Visit) -> None:
    (drawn,) = visit().call("show_link", event_data={"pick": "http://127.0.0.1/?set=signs"})
    assert "http://127.0.0.1/?set=signs" in Markup(drawn).values("value")


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    return visit()


def go(visitor: Visitor, query: str) -> Opened:
    return fill(Opened, visitor.call("go", event_data={"pick": query}))


def test_a_page_opens_at_the_place_that_its_address_names(visitor: Visitor, session: Session) -> None:
    opened = go(visitor, "?example=palace&tab=inside")
    assert opened.photos.predict["url"] == "examples/palace.jpg"
    assert "palace" in best_classes(opened.refreshed.shown.answer)
    assert opened.notice == ""
    assert session.photos.example is not None
    assert session.photos.num_bytes == 0  # an example is nobody's data


def test_a_network_that_is_not_here_is_said_and_changes_nothing(visitor: Visitor, session: Session) -> None:
    opened = go(visitor, "?network=resnet50&example=nothing")
    assert ENGLISH.address.network_absent.format(backbone="ResNet-50") in opened.notice
    assert "example=nothing" in opened.notice
    assert "b" not in Markup(go(visitor, "?tab=<b>").notice).elements
    assert session.state.backbone_name == EMBEDDED


def test_what_can_be_named_is_on_the_page(server: Server) -> None:
    ids = {each["props"].get("elem_id") for each in server.page.config["components"]}
    assert {f"{tab}-tab" for tab in PANELS} <= ids
    assert {f"starter-{name}" for name in STARTERS} <= ids
    assert {*PANELS["predict"]} <= ids
