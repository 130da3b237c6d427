"""JSON schemas of what each function of the API takes, with every choice, and of what it gives."""

import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from demo.data.reading import ANSWERS, Role
from demo.models.recipe import MAX_BATCH_SIZES, MAX_CROPS, MAX_HIDDEN_LAYERS, MAX_WIDTH, Balance, Optimizer, Trains
from demo.models.zoo import ZOO, StageLabel
from demo.tasks.cam import Method
from demo.tasks.predict import MAX_TOP_K
from demo.ui.api.look import ALL_STAGES
from demo.words.api import ApiWords

Schema = dict[str, Any]

# A file as gradio's clients know it: what they find described like this they upload, and download from answers.
FILE: Schema = {
    "type": "object",
    "title": "FileData",
    "properties": {
        "path": {"type": "string", "title": "Path"},
        "url": {"type": "string", "title": "Url"},
        "orig_name": {"type": "string", "title": "Orig Name"},
        "meta": {"type": "object", "properties": {"_type": {"const": "gradio.FileData", "type": "string"}}},
    },
    "required": ["path"],
}
_SEED = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
_BOOLEAN = {"type": "boolean"}
_SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}

RECIPE: Mapping[str, Schema] = {
    "trains": {"type": "string", "enum": [*Trains]},
    "optimizer": {"type": "string", "enum": [*Optimizer]},
    "hidden_layers": {"type": "integer", "minimum": 0, "maximum": MAX_HIDDEN_LAYERS},
    "width": {"type": "integer", "minimum": 8, "maximum": MAX_WIDTH},
    "dropout": {"type": "number", "minimum": 0, "maximum": 0.9},
    "epochs": {"type": "integer", "minimum": 1},
    "batch_size": {"type": "integer", "minimum": 1, "maximum": max(MAX_BATCH_SIZES.values())},
    "learning_rate": {"type": "number", "minimum": 1e-6, "maximum": 1},
    "weight_decay": {"type": "number", "minimum": 0, "maximum": 1},
    "flips": _BOOLEAN,
    "crops": {"type": "integer", "minimum": 0, "maximum": MAX_CROPS},
    "patience": {"type": "integer", "minimum": 0},
    "balance": {"type": "string", "enum": [*Balance]},
    "warm_start": _BOOLEAN,
    "shuffled": _BOOLEAN,
    "seed": _SEED,
}
_KINDS: Mapping[str, Schema] = {
    "image": FILE,
    "files": {"anyOf": [FILE, {"type": "array", "items": FILE}]},
    "dataset_zip": FILE,
    "head": FILE,
    "backbone": {"type": "string", "enum": ["", *ZOO]},
    "top_k": {"type": "integer", "minimum": 1, "maximum": MAX_TOP_K},
    "epochs": {"type": "integer", "minimum": 1},
    "seed": _SEED,
    "split": _SEED,
    "answers": {
        "type": "object",
        "properties": {doubt.value: {"enum": [*answers]} for doubt, answers in ANSWERS.items()},
    },
    "roles": {"type": "object", "additionalProperties": {"enum": [*Role]}},
    "labels": {"type": "string"},
    "target": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    "stage": {"type": "string", "enum": [*StageLabel]},
    "method": {"type": "string", "enum": [*Method]},
}
_OF_ONE: Mapping[tuple[str, str], Schema] = {
    ("activations", "stage"): {"type": "string", "enum": [ALL_STAGES, *StageLabel]}
}


def describe_parameter(words: ApiWords, function: str, name: str) -> Schema:
    """Return the schema of what a function takes under a name."""
    schema = _OF_ONE.get((function, name)) or _KINDS.get(name) or _describe_recipe(words)
    described: Schema = _plain({**schema, **_say(words.parameters[name])})
    return described


def takes_file(name: str) -> bool:
    """Say whether a parameter is a file, or files."""
    return FILE in (_KINDS.get(name), *_KINDS.get(name, {}).get("anyOf", ()))


def plain_schema(words: ApiWords, name: str, schema: Schema) -> Schema:
    """Return the schema of a parameter for who is no client of gradio's: a file is a text, or a list of them."""
    if takes_file(name):
        told = f"{schema['description']} {words.tools['file']}"
        text: Schema = {"type": "string"}
        return {
            "description": told,
            **({"anyOf": [text, {"type": "array", "items": text}]} if name == "files" else text),
        }
    return {key: value for key, value in schema.items() if key != "additional_description"}


def describe_answer(kind: Any) -> Schema:
    """Return the schema of the JSON that a function gives, by its annotation: TypedDicts, and what is in them."""
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        return {
            "type": "object",
            "properties": {name: describe_answer(each) for name, each in hints.items()},
            "required": list(hints),
            **({"description": kind.__doc__.partition("\n")[0]} if kind.__doc__ else {}),
        }
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Iterator, tuple):  # the JSON comes first, files after it
        return describe_answer(inner[0])
    if origin is list:
        return {"type": "array", "items": describe_answer(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": describe_answer(inner[1])}
    if origin in (Union, types.UnionType):
        return {"anyOf": [describe_answer(each) for each in inner]}
    return {} if kind is Any else {"type": _SIMPLE[kind]}


def _describe_recipe(words: ApiWords) -> Schema:
    properties = {name: {**schema, "description": words.recipe[name]} for name, schema in RECIPE.items()}
    return {"type": "object", "properties": properties}


def _say(sentence: str) -> Schema:
    return {"description": sentence, "additional_description": sentence}  # gradio's clients read the second


def _plain(value: Any) -> Any:
    """Return a schema whose texts are plain ones: orjson writes no member of an enumeration."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, str) else value
