"""Why an engine does not do what a page asks: each a refusal with its status, told in the page's log."""

from typing import ClassVar

from demo.errors import DemoError


class EngineRefusal(DemoError):
    """The engine will not do it."""

    status: ClassVar[int] = 400


class EngineTokenWrong(EngineRefusal):
    """The request has no token, or another one."""

    status = 401
    message = "The engine takes another token. Set DEMO_ENGINE_TOKEN to the same text for the page and for the engine."


class EngineNetworkUnknown(EngineRefusal):
    """The engine has no such network, or none of its weights."""

    status = 404
    name: str
    message = 'The engine has no weights of "{name}". Fetch them there: python3 -m demo.models.weights {name}'


class EngineDiffers(EngineRefusal):
    """The engine would compute other digits."""

    status = 409
    here: str
    there: str
    message = (
        'The engine computes with "{there}" and this page with "{here}", so that their digits may differ. Install the '
        "same versions on both."
    )


class EngineRequestTooLarge(EngineRefusal):
    """More was sent than one request may hold."""

    status = 413
    limit: float
    message = "The engine takes no request above {limit:.0f} MB."


class EngineRequestWrong(EngineRefusal):
    """What was sent is not what the address takes."""

    status = 422
    part: str
    message = "The engine cannot read {part} of a request."
