"""The front door: what its settings put before the page, and in which order."""

from dataclasses import replace
from typing import Any

import pytest

from demo.entrance import HEALTH, Entrance
from demo.settings import Settings
from demo.ui.budgets.requests import Requests
from demo.ui.door.forwarded import Forwarded
from demo.ui.door.front import FrontDoor
from demo.ui.door.lock import Lock
from demo.ui.door.names import Names
from demo.visitors.rooms import Rooms


def front(settings: Settings, **ways: object) -> FrontDoor:
    return FrontDoor(Rooms.of(replace(settings, entrance=Entrance(**ways))), dict)  # type: ignore[arg-type]


def guards(door: FrontDoor) -> list[Any]:
    return [each.cls for each in door.middleware]


def test_who_asks_is_known_before_the_password_is_asked_for(settings: Settings) -> None:
    door = front(settings, password="a password")
    assert guards(door) == [Forwarded, Names, Requests, Lock]
    assert "#key=" in door.script


def test_a_page_for_oneself_has_no_lock(settings: Settings) -> None:
    door = front(settings)
    assert guards(door) == [Forwarded, Names, Requests]
    assert [each.path for each in door.routes] == [HEALTH]
    assert (door.script, door.prepare()) == ("", {"share": False, "quiet": True})


def test_a_page_on_the_lan_is_served_on_every_address(settings: Settings) -> None:
    assert front(settings, is_lan=True).prepare()["server_name"] == "0.0.0.0"


def test_a_share_link_is_opened_and_its_visitors_are_known_by_its_host(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("demo.ui.door.front.open_share_link", lambda port: f"https://abc{port}.gradio.live")
    door = front(settings, is_shared=True, password="a password", is_password_made=True)
    door.announce("http://127.0.0.1:7860/", 7860)
    relay: Any = door.middleware[0].kwargs["relay"]
    assert relay.host == "abc7860.gradio.live"
    assert "https://abc7860.gradio.live" in capsys.readouterr().out
