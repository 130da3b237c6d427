"""Errors of visitors' sessions."""

from demo.errors import DemoError, OptionError


class NoHead(OptionError):
    """No head was trained in this session."""

    message = "There is no head that was trained in this session. Train one first."


class SessionError(DemoError):
    """The visitor's session cannot do that now."""


class SessionExpired(SessionError):
    """The session is gone: its visitor ended it, it was idle for too long, or the server was restarted.

    The page begins a new one by itself when it reads this.
    """

    message = "This session has ended; its pictures and results are gone. The page begins a new one by itself."


class TrainingRunning(SessionError):
    """A training is already running in this session."""

    message = "A training is already running. Wait for its end or press Stop."


class WorkCutShort(SessionError):
    """The server has been asked to end, and so has what it was doing."""

    message = "The server is being stopped, which has ended this before it was done. Begin it again once it is back."


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


class KeepsakeError(SessionError):
    """A head that a browser has kept is not taken back."""


class KeepsakeUnreadable(KeepsakeError):
    """What was brought back is no copy of a head that a browser has kept."""

    message = "What was brought back is no head that this page has kept. Train one, or bring a file of one under Keep."


class KeepsakeForeign(KeepsakeError):
    """A kept head belongs to another visitor."""

    message = (
        "This head belongs to another visitor: only the browser tab that has kept it can have it back. Train your own, "
        "or bring a file that was exported under Keep."
    )


class KeepsakeAltered(KeepsakeError):
    """A kept head, or what is told of it, is not as this server has sealed it."""

    message = (
        "This head was changed after this server sealed it, or was never sealed here, so it is not taken as yours. "
        "Train it again, or bring a file that was exported under Keep."
    )


class KeepsakeOlder(KeepsakeError):
    """A kept head was forgotten by its owner, who may have a newer one."""

    message = (
        "This head is an older one: you have forgotten it, or trained or chosen another one since. Keep the newer one, "
        "or train again."
    )
