"""Errors of visitors, and of programs, that hold more than their share."""

from demo.ui.server.errors import RequestError


class TooManyConnections(RequestError):
    """One address has as many connections open as it may."""

    status = 429
    limit: int
    message = (
        "Your network has {limit} connections to this page open, and more are not taken. Close pages that nobody "
        "needs, and try again in a few seconds."
    )


class TooManyAtOnce(RequestError):
    """As many requests of one address are being answered as may be."""

    status = 429
    limit: int
    message = (
        "{limit} requests from your network are being answered, and more are not taken at once. Please try again in a "
        "few seconds."
    )


class TooMuchSent(RequestError):
    """One address has sent more than it may in that time."""

    status = 429
    seconds: float
    message = "More has come from your network than fits here. Please try again in {seconds:.0f} s."


class PageFull(RequestError):
    """All visitors together hold as much as there is."""

    status = 503
    message = "This page has as many visitors as it can take just now. Please try again in a minute."
