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
HEALTH = "/healthz"  # the address that tells operators whether the server is alive, which nobody is kept from
LOGS = ("text", "json")
_MIN_PASSWORD = 8  # characters of a password that is given
_MAX_PASSWORD = 200
# Letters and digits that nobody takes for one another, on a blackboard or on a phone: three groups have 59 bits.
_LETTERS, _GROUPS, _GROUP = "abcdefghjkmnpqrstuvwxyz23456789", 3, 4
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|\[?::1\]?")
_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
# A Space is shown in a frame of the Hub's own, and reached through its proxies alone.
_HUB = ("https://huggingface.co", "https://*.hf.space")
_SITE = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?")


@dataclass(frozen=True)
class Entrance:
    """The ways to the page of one running demo.

    Without a password it is open to all who reach it. `frames` are the other sites that may show it in a frame, and
    `proxies` the networks whose word counts on where a request came from. `hosts` are the names that it was given,
    beside those of the machine, and `known_as` what its host calls it; `origins` are other sites whose pages may call
    it, or ANYBODY. `is_reachable` says whether it is served to other machines.
    """

    is_shared: bool = False
    is_lan: bool = False
    password: str = field(default="", repr=False)
    is_password_made: bool = False
    frames: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    known_as: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    is_reachable: bool = False
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
            frames=(*_read_sites(environment, "DEMO_EMBED_IN"), *(_HUB if is_space else ())),
            proxies=_read_proxies(environment) or ((ANYBODY,) if is_space else ()),
            hosts=_read_hosts(environment),
            known_as=_find_names(environment),
            origins=_read_origins(environment),
            is_reachable=is_lan or not _LOOPBACK.fullmatch(environment.get("GRADIO_SERVER_NAME") or "localhost"),
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


def _read_sites(environment: Mapping[str, str], variable: str) -> tuple[str, ...]:
    """Return scheme and host of each site, as a content-security policy names it; a path is left out."""
    sites = []
    for value in read_words(environment, variable):
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not _SITE.fullmatch(parts.netloc.lower()):
            possible = "addresses of sites, such as https://moodle.school"
            raise SettingWrong(variable=variable, value=value, possible=possible)
        sites.append(f"{parts.scheme}://{parts.netloc.lower()}")
    return tuple(sites)


def _read_hosts(environment: Mapping[str, str]) -> tuple[str, ...]:
    hosts = tuple(each.lower() for each in read_words(environment, "DEMO_HOSTS"))
    for each in hosts:
        if not _HOST.fullmatch(each):
            possible = "names of this page without http:// and port, such as vision.school or *.school"
            raise SettingWrong(variable="DEMO_HOSTS", value=each, possible=possible)
    return hosts


def _read_origins(environment: Mapping[str, str]) -> tuple[str, ...]:
    is_for_all = environment.get("DEMO_ORIGINS") == ANYBODY
    return (ANYBODY,) if is_for_all else _read_sites(environment, "DEMO_ORIGINS")


def _find_names(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a page is called without being told: a Space's name, that of gradio's root, where it is served."""
    root = urlsplit(environment.get("GRADIO_ROOT_PATH", "")).hostname or ""
    names = environment.get("SPACE_HOST", ""), root, environment.get("GRADIO_SERVER_NAME", "")
    known = [each.lower() for each in names if re.search(r"[a-z]", each, re.I) and not _LOOPBACK.fullmatch(each)]
    return tuple(each for each in known if _HOST.fullmatch(each))


def _read_proxies(environment: Mapping[str, str]) -> tuple[str, ...]:
    proxies = read_words(environment, "DEMO_PROXY")
    for each in proxies:
        try:
            ipaddress.ip_network(each if each != ANYBODY else "0.0.0.0/0", strict=False)
        except ValueError as error:
            possible = "addresses or networks of proxies, such as 10.0.0.2 or 172.16.0.0/12"
            raise SettingWrong(variable="DEMO_PROXY", value=each, possible=possible) from error
    return proxies


def network_of(address: str) -> str:
    """Return whose an address is: of IPv6 each customer has a network of 64 bits."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed.ipv4_mapped or parsed) if parsed.version == 6 else address
