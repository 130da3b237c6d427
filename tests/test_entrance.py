"""The ways to the page, as the environment names them."""

import re

import pytest

from demo.entrance import ANYBODY, Entrance, make_password
from demo.errors import SettingWrong


def read(**environment: str) -> Entrance:
    return Entrance.from_environment(environment)


def test_unless_it_is_asked_for_the_page_is_for_this_machine_and_nobody_elses_frame() -> None:
    assert read() == Entrance()


@pytest.mark.parametrize("way", ["DEMO_SHARE", "DEMO_LAN"])
def test_a_page_for_others_has_a_password_that_is_made_unless_it_is_given(way: str) -> None:
    made = read(**{way: "1"})
    assert made.is_password_made
    assert re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){2}", made.password)
    given = read(**{way: "1", "DEMO_PASSWORD": " spring term 7 "})
    assert (given.password, given.is_password_made) == ("spring term 7", False)
    assert made.password not in repr(made)


def test_made_passwords_differ_and_have_no_signs_that_look_alike() -> None:
    passwords = {make_password() for _ in range(500)}
    assert len(passwords) == 500
    assert not set("".join(passwords)) & set("ilo01")


@pytest.mark.parametrize("password", ["short", "x" * 201, "line\nbreaking"])
def test_a_password_that_is_no_good_is_refused_and_not_repeated(password: str) -> None:
    with pytest.raises(SettingWrong, match="DEMO_PASSWORD") as raised:
        read(DEMO_PASSWORD=password)
    assert password not in str(raised.value)


@pytest.mark.parametrize(
    ("said", "frames"),
    [
        ("https://moodle.school", ("https://moodle.school",)),
        (
            "https://Moodle.School/course/view.php?id=3, http://10.0.0.7:8080",
            ("https://moodle.school", "http://10.0.0.7:8080"),
        ),
        ("https://*.school.edu", ("https://*.school.edu",)),
    ],
)
def test_sites_are_named_by_scheme_and_host(said: str, frames: tuple[str, ...]) -> None:
    assert read(DEMO_EMBED_IN=said).frames == frames


@pytest.mark.parametrize(
    "said",
    [
        "moodle.school",
        "ftp://a.school",
        "https://",
        "https://a;script-src",
        "https://*",
        "*",
        "https://a@b.c",
        "javascript:alert(1)",
        "https://a.school'",
    ],
)
def test_what_is_no_site_never_gets_into_the_policy(said: str) -> None:
    with pytest.raises(SettingWrong, match="DEMO_EMBED_IN"):
        read(DEMO_EMBED_IN=said)


def test_a_space_is_shown_by_the_hub_reached_by_its_proxies_and_has_a_link_already() -> None:
    space = read(SPACE_ID="someone/demo")
    assert (space.frames, space.proxies) == (("https://huggingface.co", "https://*.hf.space"), (ANYBODY,))
    with pytest.raises(SettingWrong, match="a link of its own"):
        read(SPACE_ID="someone/demo", DEMO_SHARE="1")


def test_a_page_has_the_names_that_it_was_given_and_those_of_where_it_is() -> None:
    named = read(DEMO_HOSTS="Vision.School, *.lab.example", GRADIO_ROOT_PATH="https://www.example/demo")
    assert (named.hosts, named.known_as) == (("vision.school", "*.lab.example"), ("www.example",))
    assert read(SPACE_ID="a/b", SPACE_HOST="a-b.hf.space", GRADIO_SERVER_NAME="0.0.0.0").known_as == ("a-b.hf.space",)
    for wrong in ("https://vision.school", "vision.school:80", "*", "a b/"):
        with pytest.raises(SettingWrong, match="DEMO_HOSTS"):
            read(DEMO_HOSTS=wrong)


def test_other_sites_may_call_where_they_are_named() -> None:
    assert read(DEMO_ORIGINS="https://Blog.school/a, http://10.0.0.7:8080").origins == (
        "https://blog.school",
        "http://10.0.0.7:8080",
    )
    assert read(DEMO_ORIGINS="*").origins == (ANYBODY,)
    with pytest.raises(SettingWrong, match="DEMO_ORIGINS"):
        read(DEMO_ORIGINS="blog.school")


@pytest.mark.parametrize(
    ("served", "is_reachable"), [("", 0), ("localhost", 0), ("::1", 0), ("127.0.0.1", 0), ("0.0.0.0", 1)]
)
def test_whether_other_machines_reach_it(served: str, is_reachable: int) -> None:
    assert read(GRADIO_SERVER_NAME=served).is_reachable == is_reachable
    assert read(GRADIO_SERVER_NAME=served, DEMO_LAN="1").is_reachable


def test_proxies_are_addresses_or_networks() -> None:
    assert read(DEMO_PROXY="10.0.0.2,172.16.0.0/12 ::1").proxies == ("10.0.0.2", "172.16.0.0/12", "::1")
