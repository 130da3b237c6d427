"""The API as an OpenAPI document, in which each parameter of a file is described too; gradio's own leaves that out.

Source:
    https://spec.openapis.org/oas/v3.1.0
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from demo.ui.api.endpoints import ENDPOINTS, Endpoint
from demo.ui.api.schemas import Schema, plain_schema
from demo.ui.server.internals import API_PREFIX
from demo.words.api import ApiWords
from demo.words.language import Words

PATH = f"{API_PREFIX}/openapi.json"
_JSON, _EVENTS = "application/json", "text/event-stream"


def openapi_route(words: Words) -> Route:
    """Return the route of the document, in some language."""
    document = draw_openapi(words)

    async def send(_request: Request) -> JSONResponse:
        return JSONResponse(document)

    return Route(PATH, send)


def draw_openapi(words: Words) -> dict[str, Any]:
    """Return the document: the upload, and for each function how it is called and where its answer comes."""
    ours = words.api
    paths: dict[str, Any] = {f"{API_PREFIX}/upload": {"post": _describe_upload(ours)}}
    for endpoint in ENDPOINTS.values():
        call = f"{API_PREFIX}/call/v2/{endpoint.name}"
        paths[call] = {"post": _describe_call(ours, endpoint)}
        paths[f"{call}/{{event_id}}"] = {"get": _describe_answer(ours, endpoint)}
    info = {"title": words.page.title, "version": "1", "description": ours.intro}
    return {"openapi": "3.1.0", "info": info, "paths": paths}


def _describe_upload(words: ApiWords) -> dict[str, Any]:
    form = {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}}
    return {
        "summary": words.openapi["upload"],
        "operationId": "upload",
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _as_object(form, ["files"])}}},
        "responses": {
            "200": _say(words.openapi["paths"], {"type": "array", "items": {"type": "string"}}),
            "400": {"description": words.openapi["refused"], "content": {"text/plain": {"schema": {"type": "string"}}}},
        },
    }


def _describe_call(words: ApiWords, endpoint: Endpoint) -> dict[str, Any]:
    schemas = {name: plain_schema(words, name, schema) for name, schema in endpoint.schemas(words).items()}
    detail = _as_object({"detail": {"type": "string"}}, ["detail"])
    return {
        "summary": words.does[endpoint.name],
        "description": words.answers[endpoint.name],
        "operationId": endpoint.name,
        "requestBody": {"required": True, "content": {_JSON: {"schema": _as_object(schemas, endpoint.required)}}},
        "responses": {
            "200": _say(words.openapi["begun"], _as_object({"event_id": {"type": "string"}}, ["event_id"])),
            "400": _say(words.openapi["refused"], detail),
        },
    }


def _describe_answer(words: ApiWords, endpoint: Endpoint) -> dict[str, Any]:
    number = {"name": "event_id", "in": "path", "required": True, "schema": {"type": "string"}}
    stream = {"description": words.openapi["events"], "content": {_EVENTS: {"schema": {"type": "string"}}}}
    return {
        "summary": words.answers[endpoint.name],
        "operationId": f"{endpoint.name}_answer",
        "parameters": [{**number, "description": words.openapi["begun"]}],
        "responses": {"200": stream},
    }


def _say(sentence: str, schema: Schema) -> dict[str, Any]:
    return {"description": sentence, "content": {_JSON: {"schema": schema}}}


def _as_object(properties: dict[str, Schema], required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required}
