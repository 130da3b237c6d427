"""What a session cannot do now."""

from demo.errors import DemoError, OptionError


class NoHead(OptionError):
    """There is no head that was trained here."""

    message = "There is no head that was trained in this session. Train one first."


class SessionError(DemoError):
    """The visitor's session cannot do that now."""


class SessionExpired(SessionError):
    """The session is gone: forgotten by its visitor, idle for too long, or the server began anew."""

    message = "This session has ended, and everything in it is gone. Reload the page to begin anew."


class TrainingRunning(SessionError):
    """A training is already under way in this session."""

    message = "A training is already running. Wait for its end or press Stop."


class TrainingStopped(SessionError):
    """A training was stopped before its end."""

    message = "The training was stopped. The model in use is the same as before."
