"""What every handler of the page is given, and how its errors reach the visitor."""

import base64
import html
import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from demo.data.collection import Collection, rename_class
from demo.data.dataset import Dataset
from demo.data.starters import read_starter
from demo.errors import DemoError, ImageBytesExceeded, NoImage, NotAnImage, log_unexpected
from demo.models.backbone import Backbone
from demo.models.cache import BackboneCache
from demo.models.recipe import Recipe
from demo.models.state import ModelState
from demo.settings import MEGABYTE, Settings
from demo.tasks.ascent import AscentCache
from demo.tasks.features import FeatureCache
from demo.tasks.finetune import Progress, fine_tune
from demo.ui.arrival import Arrival
from demo.ui.background import run_slowly
from demo.ui.sessions import Session, Sessions
from demo.ui.text import ENGLISH, Words
from demo.ui.training import Job, TrainingLine

# How a handler runs. Light ones only look something up. The others share the two cores in lines of their own, so that
# nobody's prediction waits behind somebody else's zip.
_PRIVATE: dict[str, Any] = {"api_visibility": "private"}
LIGHT: dict[str, Any] = {**_PRIVATE, "concurrency_limit": None, "show_progress": "hidden"}
PREDICT: dict[str, Any] = {**_PRIVATE, "concurrency_id": "predict_page", "concurrency_limit": 2}  # one forward pass
COMPUTE: dict[str, Any] = {**_PRIVATE, "concurrency_id": "compute", "concurrency_limit": 2}  # up to a second
READ: dict[str, Any] = {**_PRIVATE, "concurrency_id": "read", "concurrency_limit": 1}  # many pictures, or a file

_END = object()  # of a handler's steps


@dataclass(frozen=True)
class Context:
    """The rooms behind the page; one for each language, over the same sessions and networks."""

    settings: Settings
    sessions: Sessions
    backbones: BackboneCache
    line: TrainingLine
    arrival: Arrival
    ascents: AscentCache = field(default_factory=AscentCache)
    words: Words = ENGLISH

    @staticmethod
    def of(settings: Settings) -> "Context":
        """Open the rooms; nothing is loaded yet."""
        sessions = Sessions(settings)
        backbones = BackboneCache(
            settings.device,
            precision=settings.precision,
            budget_bytes=settings.model_memory_bytes,
            needed=sessions.needed_backbones,
        )
        return Context(settings, sessions, backbones, TrainingLine(), Arrival(settings.backbone))

    @contextmanager
    def lend(self, state: ModelState) -> Iterator[Backbone]:
        """Lend the network of a model state: the shared one, or with the layers of the head that answers."""
        with self.backbones.lend(state.backbone_name) as backbone:
            yield backbone.for_head(state.answering_head)

    def fine_tune(
        self, backbone_name: str, dataset: Dataset, recipe: Recipe, *, cache: FeatureCache | None = None
    ) -> Generator[Progress, None, None]:
        """Train a head as a stream of progress, with the backbone on loan for as long as that takes."""
        with self.backbones.lend(backbone_name) as backbone:
            yield from fine_tune(backbone, dataset, recipe, self.settings, cache=cache)

    def train(self, session: Session, dataset: Dataset, recipe: Recipe) -> Job:
        """Put a training of a session into the line; its head is the session's own in the end.

        Raises:
            TrainingRunning: If the session has one that has not ended.
        """
        cache, name = session.cache, session.state.backbone_name
        job = Job(
            lambda: self.fine_tune(name, dataset, recipe, cache=cache), lambda result: session.adopt(result, dataset)
        )
        session.begin(job)
        self.line.submit(job)
        return job

    def read_starter(self, name: str, settings: Settings) -> Collection:
        """Read a starter set within some settings, with class names in the visitor's language."""
        collection = read_starter(name, settings)
        for each in collection.classes:
            shown = self.words.starter_classes.get(each.name, each.name)
            collection = rename_class(collection, each.name, new_name=shown)
        return collection

    def describe_wait(self, job: Job) -> str:
        """Say how many trainings are ahead of a job and, where others have shown it, how long that will take."""
        count, wait_s = self.line.num_ahead(job), self.line.wait_s(job)
        if wait_s is None:
            return self.words.waiting.format(count=count)
        return self.words.waiting_for.format(count=count, seconds=wait_s)

    def bind(self, handler: Callable[..., Any], *, is_html: bool = True, is_slow: bool = False) -> Callable[..., Any]:
        """Return a handler as gradio calls it: without its first parameter, which is this context.

        A DemoError becomes a visible message in the visitor's language. Anything else is logged with its
        traceback, and the visitor is told that it is not their fault.

        Args:
            handler: A function, generator function or async generator function whose first parameter is the context.
            is_html: Whether messages are shown as HTML, as toasts are, or are read by a program.
            is_slow: Whether it runs in a thread that gives way to predictions.
        """
        call = run_slowly if is_slow else _call

        def bound(*values: Any) -> Any:
            with self._one_sentence(is_html):
                return call(handler, self, *values)

        async def bound_stream(*values: Any) -> AsyncIterator[Any]:
            with self._one_sentence(is_html):
                async for update in handler(self, *values):
                    yield update

        def bound_steps(*values: Any) -> Iterator[Any]:
            with self._one_sentence(is_html), closing(handler(self, *values)) as steps:
                while (step := call(next, steps, _END)) is not _END:
                    yield step

        outer: Any = bound
        if inspect.isasyncgenfunction(handler):
            outer = bound_stream
        elif inspect.isgeneratorfunction(handler):
            outer = bound_steps
        # gradio reads the name, the documentation and the types of what it calls.
        signature = inspect.signature(handler)
        parameters = list(signature.parameters.values())[1:]
        outer.__name__, outer.__doc__ = handler.__name__, handler.__doc__
        outer.__annotations__ = {each.name: each.annotation for each in parameters}
        outer.__signature__ = signature.replace(parameters=parameters)
        bound_handler: Callable[..., Any] = outer
        return bound_handler

    def bind_slow(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Return a handler of the page that gives way to predictions; see `bind`."""
        return self.bind(handler, is_slow=True)

    @contextmanager
    def _one_sentence(self, is_html: bool) -> Iterator[None]:
        try:
            yield
        except gr.Error:
            raise
        except Exception as error:
            if not isinstance(error, DemoError):
                log_unexpected(error, "an event")
            sentence = self.words.explain(error)
            if is_html:  # it may hold a file's or a class's name
                sentence = html.escape(sentence, quote=False)
            raise gr.Error(sentence, print_exception=False) from error


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def streamed_bytes(payload: dict[str, Any] | None, settings: Settings) -> bytes:
    """Return one encoded picture of a camera's stream, which the browser sends as a data URL.

    Raises:
        NoImage: If there is none.
        ImageBytesExceeded, NotAnImage: If it is too large, or no data URL of a picture.
    """
    url = str((payload or {}).get("url") or "")
    kind, _, encoded = url.partition(",")
    if not url:
        raise NoImage()
    if len(encoded) > 4 * settings.max_image_bytes / 3 + 4:
        megabytes = len(encoded) * 3 / 4 / MEGABYTE
        raise ImageBytesExceeded(name="camera", megabytes=megabytes, limit=settings.max_image_bytes / MEGABYTE)
    if not kind.startswith("data:image/") or not kind.endswith(";base64"):
        raise NotAnImage(name="camera")
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise NotAnImage(name="camera") from error
