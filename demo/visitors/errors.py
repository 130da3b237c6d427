"""Errors of visitors' sessions."""

from demo.errors import DemoError, OptionError


class NoHead(OptionError):
    """No head was trained in this session."""

    message = "There is no head that was trained in this session. Train one first."


class SessionError(DemoError):
    """The visitor's session cannot do that now."""


class SessionExpired(SessionError):
    """The session is gone: its visitor ended it, it was idle for too long, or the server was restarted."""

    message = "This session has ended, and everything in it is gone. Reload the page to begin anew."


class TrainingRunning(SessionError):
    """A training is already running in this session."""

    message = "A training is already running. Wait for its end or press Stop."


class TrainingStopped(SessionError):
    """A training was stopped before its end."""

    message = "The training was stopped. The model in use is the same as before."


class PagesClosed(SessionError):
    """The work of a visitor who has left was ended."""

    seconds: float
    message = (
        "This was ended because all its pages had been closed for {seconds:.0f} s. "
        "The model in use is the same as before. Start it again."
    )


class NotAgreed(DemoError):
    """Nobody has said that those who will be pictured have agreed."""

    message = "First make sure that all who will be in the pictures have agreed, and tick the box above the button."
