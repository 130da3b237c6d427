"""A head that the browser has kept: it is fetched, offered after a restart, and taken back from its owner alone."""

import re
from pathlib import Path

import httpx
import pytest

from demo.ui.survival.offer import Back, draw_offer
from demo.ui.survival.token import Resumed
from demo.visitors.errors import KeepsakeAltered, KeepsakeForeign, KeepsakeOlder, KeepsakeUnreadable, SessionExpired
from demo.words.language import CHINESE, ENGLISH
from tests.heads import light_head
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, Visitor, fill

SECRET, OTHER = "0" * 31 + "1", "0" * 31 + "2"


def fetch(server: Server, visitor: Visitor, secret: str = SECRET, number: int = 0) -> httpx.Response:
    headers = {"X-Demo-Session": visitor.token, "X-Demo-Secret": secret, "X-Demo-Number": str(number)}
    return httpx.get(f"{server.url}/keepsake", headers=headers, verify=False, timeout=30)


def give_head(server: Server, visitor: Visitor, *names: str) -> None:
    session = server.rooms.sessions.attach(visitor.token)
    session.change_state(lambda state: state.with_head(light_head(names or ("ant", "<b>bee</b>"))))


def bring(visitor: Visitor, folder: Path, keepsake: bytes, secret: str = SECRET) -> str:
    path = folder / "kept.head"
    path.write_bytes(keepsake)
    sent = {"path": visitor.upload(path)["path"], "secret": secret}
    return str(fill(Back, visitor.call("bring_back", event_data=sent)).offer)


def test_a_head_is_fetched_by_who_knows_the_token_and_once(visit: Visit, server: Server) -> None:
    visitor = visit()
    assert fetch(server, visitor).status_code == 204
    give_head(server, visitor)
    answer = fetch(server, visitor)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (fetch(server, visitor, number=1).content, fetch(server, visitor, number=7).content) == (b"", answer.content)
    assert fetch(server, visitor, secret="guess").status_code == 400
    visitor.token = visitor.token[:-1]
    refused = fetch(server, visitor)
    assert refused.status_code == 400
    assert refused.json()["detail"] == ENGLISH.explain(SessionExpired())


def test_what_a_restart_took_is_said_beside_what_the_browser_has_kept(visit: Visit, server: Server) -> None:
    for language, words in (("en", ENGLISH), ("zh", CHINESE)):
        visitor = visit(language=language)
        opened = visitor.call("attach", "of a server before", "", "ant\n<b>bee</b>")
        assert not any(words.notice.anew in str(each) for each in opened)
        (offer,) = [str(each) for each in opened if "data-keepsake" in str(each)]
        said = " ".join(Markup(offer).texts)
        assert words.notice.anew_but in said
        assert words.notice.kept.format(names=f"ant{words.list_separator}<b>bee</b>") in said
        assert [words.notice.bring, words.notice.decline] == Markup(offer).texts[-2:]
        again = visitor.call("attach", opened[0], "", "ant")  # a reload of who has not decided yet
        assert any("data-keepsake" in str(each) for each in again)
        give_head(server, visitor)
        visitor.token = opened[0]
        give_head(server, visitor)
        assert not any("data-keepsake" in str(each) for each in visitor.call("attach", opened[0], "", "ant"))
    assert draw_offer(ENGLISH, "", is_anew=True) == ""
    assert len(draw_offer(ENGLISH, "x\n" * 10_000, is_anew=True)) < 2_000


def test_a_head_comes_back_in_one_event_and_no_other_does(visit: Visit, server: Server, tmp_path: Path) -> None:
    one = visit()
    give_head(server, one)
    keepsake = fetch(server, one).content
    server.rooms.sessions.end(one.token)  # it expires
    two, thief = visit(), visit(language="zh")
    for words, visitor, brought, secret, error in (
        (CHINESE, thief, keepsake, OTHER, KeepsakeForeign()),
        (ENGLISH, two, keepsake[:-1] + b"x", SECRET, KeepsakeAltered()),
        (ENGLISH, two, b"no head", SECRET, KeepsakeUnreadable()),
    ):
        with pytest.raises(Refused) as told:
            bring(visitor, tmp_path, brought, secret)
        assert words.explain(error) in str(told.value)
        assert server.rooms.sessions.attach(visitor.token).state.head is None
    names = "ant; <b>bee</b>"
    assert Markup(bring(two, tmp_path, keepsake)).texts[0] == ENGLISH.notice.back.format(names=names)
    assert "your 2 classes: ant, &lt;b&gt;bee" in two.refresh().strip
    newest = fetch(server, two).content
    with pytest.raises(Refused, match="older"):
        bring(visit(), tmp_path, keepsake)
    assert two.call("forget", True) == [True]
    with pytest.raises(Refused, match="older"):
        bring(visit(), tmp_path, newest)


def test_a_head_of_another_key_is_checked_like_a_file(visit: Visit, server: Server, tmp_path: Path) -> None:
    visitor, (seal, manifest, content) = visit(), made_elsewhere(server)
    told = ENGLISH.notice.back_unsealed.format(names="ant; bee")
    assert Markup(bring(visitor, tmp_path, b"\n".join((seal, manifest, content)), "d" * 32)).texts[0] == told
    with pytest.raises(Refused, match="saved head"):
        bring(visitor, tmp_path, b"\n".join((seal, manifest, content[:-4])), "d" * 32)
    assert server.rooms.sessions.attach(visitor.token).state.class_names == ("ant", "bee")


def made_elsewhere(server: Server) -> list[bytes]:
    """Return the parts of a keepsake that a server with another key has made."""
    keepsakes = type(server.rooms.keepsakes)(lambda: b"another key")
    session = server.rooms.sessions.attach("")
    session.change_state(lambda state: state.with_head(light_head(("ant", "bee"))))
    keepsake = keepsakes.make(session, "d" * 32)
    assert keepsake
    return keepsake.split(b"\n", 2)


def test_a_copy_that_is_declined_is_not_taken_any_more(visit: Visit, server: Server, tmp_path: Path) -> None:
    visitor = visit()
    give_head(server, visitor)
    keepsake = fetch(server, visitor, "e" * 32).content
    assert visitor.call("decline", event_data={"secret": "e" * 32}) == [""]
    with pytest.raises(Refused) as told:
        bring(visitor, tmp_path, keepsake, "e" * 32)
    assert ENGLISH.explain(KeepsakeOlder()) in str(told.value)


def test_a_page_whose_connection_is_back_goes_on_or_is_told_to_begin_anew(visit: Visit, server: Server) -> None:
    visitor = visit()
    session = server.rooms.sessions.attach(visitor.token)
    server.rooms.sessions.close_page(visitor._session_hash)
    left: list[bool] = [session.presence.was_left]
    resumed = fill(Resumed, visitor.call("resume", visitor.token))
    assert resumed.is_over is False
    left.append(session.presence.was_left)
    assert left == [True, False]
    (left_s,) = re.findall(r'data-left="(\d+)"', resumed.time_left)
    settings = server.rooms.settings
    assert settings.session_closed_s < int(left_s) <= settings.session_idle_s
    server.rooms.sessions.end(visitor.token)
    assert fill(Resumed, visitor.call("resume", visitor.token)).is_over is True
