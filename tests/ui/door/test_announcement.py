"""What whoever opens the page is told."""

import logging
from urllib.parse import unquote, urlsplit

import pytest

from demo.entrance import Entrance
from demo.ui.door.announcement import announce, direct_link
from demo.ui.door.errors import NoShareLink
from demo.ui.door.tunnel import open_share_link

HERE = "http://127.0.0.1:7860/"
MADE = Entrance(is_lan=True, password="k7mp-2xwd-9hqt", is_password_made=True)


@pytest.fixture(autouse=True)
def in_a_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.ui.door.announcement.lan_addresses", lambda: ["192.168.1.5", "10.0.0.5"])
    monkeypatch.setattr("locale.getlocale", lambda: ("en_GB", "UTF-8"))


def test_a_page_for_oneself_needs_no_more_than_its_address(capsys: pytest.CaptureFixture[str]) -> None:
    announce(Entrance(), HERE, 7860, "")
    assert capsys.readouterr().out == f"* Running on local URL:  {HERE}\n"


def test_a_room_is_told_every_address_and_the_password(capsys: pytest.CaptureFixture[str]) -> None:
    announce(MADE, HERE, 7860, "")
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:5] == [
        "Others open http://192.168.1.5:7860",
        "Others open http://10.0.0.5:7860",
        "Password: k7mp-2xwd-9hqt",
    ]


def test_a_password_that_was_given_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    announce(Entrance(is_shared=True, password="spring term 7"), HERE, 7860, "https://abc.gradio.live")
    told = capsys.readouterr().out
    assert "https://abc.gradio.live" in told
    assert "Gradio's relay" in told
    assert "spring" not in told


def test_a_chinese_machine_is_told_in_chinese(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locale.getlocale", lambda: ("zh_CN", "UTF-8"))
    announce(MADE, HERE, 7860, "")
    assert "密码：k7mp-2xwd-9hqt" in capsys.readouterr().out


def test_a_log_for_programs_has_lines_and_no_picture(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "demo"):
        announce(Entrance(is_lan=True, password="a password", log="json"), HERE, 7860, "")
    assert capsys.readouterr().out == ""
    assert caplog.messages[0] == "Others open http://192.168.1.5:7860"


def test_the_code_carries_the_password_where_no_server_sees_it() -> None:
    parts = urlsplit(direct_link("https://abc.gradio.live", "a&b #%c"))
    assert (parts.path, parts.query) == ("/", "")
    assert unquote(parts.fragment) == "key=a&b #%c"


def test_a_link_that_cannot_be_made_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_options: object) -> str:
        raise RuntimeError("Could not get share link from Gradio API Server.\nmore")

    monkeypatch.setattr("demo.ui.door.tunnel.setup_tunnel", fail)
    with pytest.raises(NoShareLink, match=r"\(Could not get share link from Gradio API Server\)\. It needs"):
        open_share_link(7860)
