"""How visitors reach the page, and what stands in their way, read from the environment."""

import ipaddress
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from demo.environment import is_on, read_choice, read_words
from demo.errors import SettingWrong

ANYBODY = "*"  # in place of a proxy's address
LOGS = ("text", "json")
_MIN_PASSWORD = 8  # characters of a password that is given
_MAX_PASSWORD = 200
# Letters and digits that nobody takes for one another, on a blackboard or on a phone: three groups have 59 bits.
_LETTERS, _GROUPS, _GROUP = "abcdefghjkmnpqrstuvwxyz23456789", 3, 4
# A Space is shown in a frame of the Hub's own, and reached through its proxies alone.
_HUB = ("https://huggingface.co", "https://*.hf.space")
_SITE = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?")


@dataclass(frozen=True)
class Entrance:
    """The ways to the page of one running demo.

    Without a password it is open to all who reach it. `frames` are the other sites that may show it in a frame, and
    `proxies` the networks whose word counts on where a request came from.
    """

    is_shared: bool = False
    is_lan: bool = False
    password: str = field(default="", repr=False)
    is_password_made: bool = False
    frames: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    has_metrics: bool = False
    log: str = LOGS[0]

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Entrance":
        """Read the variables that README lists; a page that is shared or on the LAN gets a password if it has none.

        Raises:
            SettingWrong: If a variable has an impossible value.
        """
        is_space = "SPACE_ID" in environment
        is_shared = is_on(environment, "DEMO_SHARE") or environment.get("GRADIO_SHARE", "").lower() == "true"
        if is_shared and is_space:
            raise SettingWrong(variable="DEMO_SHARE", value="1", possible="off on a Space, which has a link of its own")
        is_lan = is_on(environment, "DEMO_LAN")
        given = _read_password(environment)
        is_made = not given and (is_shared or is_lan)
        return Entrance(
            is_shared=is_shared,
            is_lan=is_lan,
            password=make_password() if is_made else given,
            is_password_made=is_made,
            frames=(*map(_read_site, read_words(environment, "DEMO_EMBED_IN")), *(_HUB if is_space else ())),
            proxies=_read_proxies(environment) or ((ANYBODY,) if is_space else ()),
            has_metrics=is_on(environment, "DEMO_METRICS"),
            log=read_choice(environment, "DEMO_LOG", LOGS),
        )


def make_password() -> str:
    """Return a new password that is easy to read out and to type: k7mp-2xwd-9hqt."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def _read_password(environment: Mapping[str, str]) -> str:
    password = environment.get("DEMO_PASSWORD", "").strip()
    if password and not (_MIN_PASSWORD <= len(password) <= _MAX_PASSWORD and password.isprintable()):
        # What was given is not repeated: whoever reads the log may not be meant to know it.
        possible = f"{_MIN_PASSWORD} to {_MAX_PASSWORD} letters, digits and signs, or unset"
        raise SettingWrong(variable="DEMO_PASSWORD", value="***", possible=possible)
    return password


def _read_site(value: str) -> str:
    """Return scheme and host of a site, as a content-security policy names it; a path is left out."""
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not _SITE.fullmatch(parts.netloc.lower()):
        possible = "addresses of sites, such as https://moodle.school"
        raise SettingWrong(variable="DEMO_EMBED_IN", value=value, possible=possible)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _read_proxies(environment: Mapping[str, str]) -> tuple[str, ...]:
    proxies = read_words(environment, "DEMO_PROXY")
    for each in proxies:
        try:
            ipaddress.ip_network(each if each != ANYBODY else "0.0.0.0/0", strict=False)
        except ValueError as error:
            possible = "addresses or networks of proxies, such as 10.0.0.2 or 172.16.0.0/12"
            raise SettingWrong(variable="DEMO_PROXY", value=each, possible=possible) from error
    return proxies
