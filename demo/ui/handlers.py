"""How gradio calls our handlers: what each costs, what it is given, and how its errors reach the visitor."""

import html
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from enum import Enum
from typing import Any, TypeVar

import gradio as gr

from demo.entrance import network_of
from demo.errors import DemoError, log_unexpected
from demo.ui.parts.outputs import flatten
from demo.ui.server.queue import READ_LINE
from demo.visitors.background import run_slowly
from demo.visitors.fairness import Owner
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref

Handler = TypeVar("Handler", bound=Callable[..., Any])

_FINISHED = object()  # what `next` gives once a generator has nothing more


class Cost(Enum):
    """What a handler costs, and so in which line it waits: nobody's prediction waits behind somebody else's zip."""

    LIGHT = "looks something up; runs at once, however many do"
    PREDICT = "one forward pass"
    COMPUTE = "up to a second"
    READ = "many pictures, or a file; takes turns with trainings"
    FETCH = "networks from their source, as long as that takes"

    @property
    def options(self) -> dict[str, Any]:
        """What gradio is told: all lines share the two cores."""
        match self:
            case Cost.LIGHT:
                return {"concurrency_limit": None, "show_progress": "hidden"}
            case Cost.PREDICT:
                return {"concurrency_id": "predict_page", "concurrency_limit": 2}
            case Cost.COMPUTE:
                return {"concurrency_id": "compute", "concurrency_limit": 2, "show_progress": "minimal"}
            case Cost.READ:
                return {"concurrency_id": READ_LINE, "concurrency_limit": 80}  # who reads takes turns
            case Cost.FETCH:
                return {"concurrency_id": "fetch", "concurrency_limit": 4, "show_progress": "minimal"}

    @property
    def gives_way(self) -> bool:
        """Whether it runs in a thread to which the operating system prefers those of predictions."""
        return self in (Cost.COMPUTE, Cost.READ, Cost.FETCH)


def costs(cost: Cost) -> Callable[[Handler], Handler]:
    """Declare what a handler costs; `listen` refuses one that does not say."""

    def declare(handler: Handler) -> Handler:
        handler.cost = cost  # type: ignore[attr-defined]
        return handler

    return declare


def listen(
    rooms: Rooms,
    trigger: Any,
    handler: Callable[..., Any],
    inputs: Any,
    outputs: Any,
    *,
    reveals: gr.Component | None = None,
    **options: Any,
) -> Any:
    """Let a handler answer an event of the page.

    Args:
        rooms: The handler's first argument.
        trigger: A component's event, such as `button.click`; a step of a chain, such as `event.then`; or a list.
        handler: A function, generator function or async generator function with a declared cost.
        inputs: The component, or groups of components, whose values are its further arguments.
        outputs: Likewise what its result fills.
        reveals: What is scrolled to, when the handler begins and when it has ended, where it is not in sight.
        options: More of gradio's own; they go before those of the cost.

    Returns:
        gradio's event, on which more steps can be chained.
    """
    cost: Cost = handler.cost  # type: ignore[attr-defined]
    call = bind(rooms, handler, gives_way=cost.gives_way)
    options = {"api_visibility": "private", **cost.options, **options}
    listener = (lambda *values, **more: gr.on(trigger, *values, **more)) if isinstance(trigger, list) else trigger
    event = listener(call, flatten(inputs), flatten(outputs), **options)
    if reveals is not None:
        for moment in (listener, event.then):
            moment(None, None, None, js=f"() => demo.reveal({str(reveals.elem_id)!r})")
    return event


def bind(
    rooms: Rooms, handler: Callable[..., Any], *, is_html: bool = True, gives_way: bool = False
) -> Callable[..., Any]:
    """Return a handler as gradio calls it: without its first parameter, which is the rooms.

    A DemoError becomes a visible message in the visitor's language. Anything else is logged with its traceback, and
    the visitor is told that it is not their fault.

    Args:
        rooms: The handler's first argument.
        handler: A function, generator function or async generator function.
        is_html: Whether messages are shown as HTML, as toasts are, or are read by a program.
        gives_way: Whether it runs in a thread that gives way to predictions.
    """
    call = run_slowly if gives_way else _call
    find_asker = _find_rooms if is_html else _find_program

    def bound(*values: Any) -> Any:
        with _one_sentence(rooms, is_html):
            return flatten(call(_in_turn(handler), *find_asker(rooms, values)))

    async def bound_stream(*values: Any) -> AsyncIterator[Any]:
        with _one_sentence(rooms, is_html):
            async for update in handler(rooms, *values):
                yield flatten(update)

    def bound_steps(*values: Any) -> Iterator[Any]:
        with _one_sentence(rooms, is_html), closing(handler(*find_asker(rooms, values))) as steps:
            while (step := call(next, steps, _FINISHED)) is not _FINISHED:
                yield flatten(step)

    outer: Any = bound
    if inspect.isasyncgenfunction(handler):
        outer = bound_stream
    elif inspect.isgeneratorfunction(handler):
        outer = bound_steps
    return _describe_as(outer, handler, asks_who=not is_html)


def _in_turn(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return a handler that has the turns of its session, or of a program, where it reads much."""
    if getattr(handler, "cost", None) is not Cost.READ:
        return handler

    def read(rooms: Rooms, *values: Any) -> Any:
        ref = next((each for each in values if isinstance(each, Ref)), None)
        with rooms.reading(handler.__name__, ref):
            return handler(rooms, *values)

    return read


def _find_rooms(rooms: Rooms, values: tuple[Any, ...]) -> tuple[Any, ...]:
    return rooms, *values


def _find_program(rooms: Rooms, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what a handler of the API is given: the rooms know which program asks, by the request at the end."""
    client = values[-1].client
    return replace(rooms, asker=Owner(address=network_of(client.host) if client else "", is_program=True)), *values[:-1]


def _describe_as(outer: Any, handler: Callable[..., Any], *, asks_who: bool) -> Callable[..., Any]:
    """Give a bound handler the name, documentation and types that gradio reads, without the first parameter."""
    signature = inspect.signature(handler)
    parameters = list(signature.parameters.values())[1:]
    if asks_who:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters.append(inspect.Parameter("request", kind, default=None, annotation=gr.Request))
    outer.__name__, outer.__doc__ = handler.__name__, handler.__doc__
    outer.__annotations__ = {each.name: each.annotation for each in parameters}
    outer.__signature__ = signature.replace(parameters=parameters)
    described: Callable[..., Any] = outer
    return described


@contextmanager
def _one_sentence(rooms: Rooms, is_html: bool) -> Iterator[None]:
    try:
        yield
    except gr.Error:
        raise
    except Exception as error:
        if not isinstance(error, DemoError):
            log_unexpected(error, "an event")
        sentence = rooms.words.explain(error)
        if is_html:  # it may hold a file's or a class's name
            sentence = html.escape(sentence, quote=False)
        raise gr.Error(sentence, print_exception=False) from error


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)
