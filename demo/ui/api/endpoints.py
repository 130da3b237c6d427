"""The functions of the API as gradio publishes them, on components that are never shown."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

import gradio as gr

from demo.models.zoo import StageLabel
from demo.ui.api.fine_tune import answer_fine_tune
from demo.ui.api.look import answer_activations, answer_class_map
from demo.ui.api.networks import answer_networks
from demo.ui.api.predict import answer_predict, answer_predict_batch
from demo.ui.api.schemas import Schema, describe_answer, describe_parameter, takes_file
from demo.ui.handlers import bind
from demo.ui.parts.picture import WithoutStub
from demo.visitors.rooms import Rooms
from demo.words.api import ApiWords

# The lines of programs stand beside those of the page. Predictions that are asked for at the same time share forward
# passes. Trainings and batches take turns with those of visitors, who have at least half.
_PREDICTION = {"concurrency_id": "predict", "concurrency_limit": 16}
_BATCH = {"concurrency_id": "api_predict_batch", "concurrency_limit": 4}
_TRAINING = {"concurrency_id": "api_fine_tune", "concurrency_limit": 8}
_LOOK = {"concurrency_id": "api_activations", "concurrency_limit": 1}
_LIST = {"concurrency_id": "api_networks", "concurrency_limit": 2}


@dataclass(frozen=True)
class Endpoint:
    """A function of the API: its name, what answers, the names of the files that it gives, and its line."""

    name: str
    answer: Callable[..., Any]
    files: tuple[str, ...]
    limits: Mapping[str, Any]

    @property
    def defaults(self) -> dict[str, Any]:
        """The parameters in their order, with their defaults; `inspect.Parameter.empty` for what has to be sent."""
        parameters = list(inspect.signature(self.answer).parameters.values())[1:]  # the first is the rooms
        return {each.name: each.default for each in parameters}

    @property
    def required(self) -> list[str]:
        """The parameters that have to be sent."""
        return [name for name, default in self.defaults.items() if default is inspect.Parameter.empty]

    @property
    def known(self) -> str:
        """The names of the parameters, for a sentence."""
        return ", ".join(self.defaults) or "-"

    def describe(self, words: ApiWords) -> str:
        """Say what it does and what it gives."""
        return f"{words.does[self.name]} {words.answers[self.name]}"

    def schemas(self, words: ApiWords) -> dict[str, Schema]:
        """Return the schemas of the parameters, in their order."""
        return {name: describe_parameter(words, self.name, name) for name in self.defaults}

    @property
    def answer_schema(self) -> Schema:
        """The schema of the JSON that it gives."""
        return describe_answer(get_type_hints(self.answer)["return"])


ENDPOINTS = {
    each.name: each
    for each in (
        Endpoint("predict", answer_predict, (), _PREDICTION),
        Endpoint("predict_batch", answer_predict_batch, ("csv",), _BATCH),
        Endpoint("fine_tune", answer_fine_tune, ("head", "export"), _TRAINING),
        Endpoint("class_map", answer_class_map, ("map",), _LOOK),
        Endpoint("activations", answer_activations, tuple(StageLabel), _LOOK),
        Endpoint("networks", answer_networks, (), _LIST),
    )
}


class Value(gr.JSON, metaclass=WithoutStub):
    """A value that gradio passes on as it came, with a schema of ours, which it publishes."""

    is_template = True  # the browser would show it as gradio's own
    data_model = None

    def __init__(self, schema: Schema, value: Any, label: str) -> None:
        self._schema, self._example = schema, value
        super().__init__(value, label=label)

    def api_info(self) -> Schema:
        """Return the schema."""
        return self._schema

    def postprocess(self, value: Any) -> Any:
        """Return a value as it is."""
        return value

    def example_payload(self) -> Any:
        """Return an example of what is sent."""
        return self._example

    def example_value(self) -> Any:
        """Return an example of what comes."""
        return self._example


def build_api(rooms: Rooms) -> None:
    """Declare the functions on components that are never shown; they only type what goes in and out."""
    made: dict[str, Any] = {}  # components that several functions share, for each is a part of the page
    with gr.Column(visible=False):
        ask = gr.Button()
        for endpoint in ENDPOINTS.values():
            _publish(rooms, ask, endpoint, made)


def _publish(rooms: Rooms, ask: gr.Button, endpoint: Endpoint, made: dict[str, Any]) -> None:
    words, answer = rooms.words.api, endpoint.answer

    def once(build: Callable[..., Any], *values: Any) -> Any:
        key = repr((build, values))
        if key not in made:
            made[key] = build(*values)
        return made[key]

    inputs = [
        once(Value, schema, _example_of(name, endpoint.defaults[name]), name)
        for name, schema in endpoint.schemas(words).items()
    ]
    outputs = [Value(endpoint.answer_schema, None, "answer")]
    outputs += [once(_build_file, str(name)) for name in endpoint.files]
    cost: Any = answer
    call = bind(rooms, answer, is_html=False, gives_way=cost.cost.gives_way)
    # Without gradio's own checks, whose sentences are not ours, values come as the caller sent them.
    options = {"api_name": endpoint.name, "api_description": endpoint.describe(words), "api_visibility": "public"}
    ask.click(call, inputs, outputs, preprocess=False, **options, **endpoint.limits)


def _build_file(label: str) -> gr.File:
    return gr.File(label=label)


def _example_of(name: str, default: Any) -> Any:
    return None if default is inspect.Parameter.empty or takes_file(name) else default
