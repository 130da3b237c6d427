"""Errors of the door: of visitors who have no password, and of ways to the page that cannot be opened."""

from demo.errors import StartError
from demo.ui.server.errors import RequestError


class PasswordMissing(RequestError):
    """The page has a password, and a request came without it."""

    message = "This page has a password. Send it with each request: Authorization: Bearer PASSWORD."


class PasswordWrong(RequestError):
    """A password is not the page's."""

    message = "That is not the password of this page. Ask whoever opened the page for you."


class TooManyTries(RequestError):
    """Too many wrong passwords came from one address."""

    seconds: float
    message = "Too many wrong passwords came from your network. Please try again in {seconds:.0f} s."


class HostUnknown(RequestError):
    """A request is meant for a name that is none of the page's: a site may lead its own name here."""

    status = 421
    host: str
    message = (
        "This page does not answer to the name {host}. Open it by the address that its start told; whoever runs it can "
        "let it answer to more names: DEMO_HOSTS={host}"
    )


class OriginForeign(RequestError):
    """A page of another site asks for something in its visitor's name."""

    status = 403
    origin: str
    message = (
        "Pages of other sites ({origin}) may not ask this one for anything. Whoever runs it can let a site do so: "
        "DEMO_ORIGINS={origin}"
    )


class NoShareLink(StartError):
    """A share link cannot be made."""

    reason: str
    message = (
        "No share link could be made ({reason}). It needs the internet: try again once this machine is connected, "
        "or use --lan (DEMO_LAN=1) for a room that shares one network."
    )


class MetricsMissing(StartError):
    """Metrics are asked for, and their package is not installed."""

    message = "DEMO_METRICS is on and prometheus-client is missing; run pip install -r requirements-operators.txt."
