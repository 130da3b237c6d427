"""The API as tools of the Model Context Protocol, for agents; only where the optional package `mcp` is installed.

Source:
    https://modelcontextprotocol.io/specification/2025-06-18
"""

import base64
import json
import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from demo.errors import DemoError, log_unexpected
from demo.settings import MEGABYTE
from demo.ui.api.caller import Caller, CallRefused
from demo.ui.api.endpoints import ENDPOINTS
from demo.ui.api.errors import UnknownFunction, UnknownParameter, ValueMissing
from demo.ui.api.schemas import Schema, plain_schema
from demo.ui.server.errors import DataUrlUnreadable, FileNotSent, RequestTooLarge
from demo.ui.server.internals import API_PREFIX
from demo.ui.server.uploads import Uploads, clean_name, keep_file, lies_in
from demo.visitors.rooms import Rooms
from demo.words.api import ApiWords

if TYPE_CHECKING:
    from mcp import types

PATH = f"{API_PREFIX}/mcp"
_TOOLS = ("predict", "fine_tune", "class_map", "networks")
_UPLOAD = "upload"
_UPLOAD_PARAMETERS = ("name", "data", "path")
_SHOWN_LENGTH = 40
Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


def welcomes_agents() -> bool:
    """Say whether agents find tools: the optional package is here, and GRADIO_MCP_SERVER does not say False."""
    return find_spec("mcp") is not None and os.environ.get("GRADIO_MCP_SERVER", "True").lower() != "false"


def describe_tools(words: ApiWords) -> dict[str, tuple[str, Schema]]:
    """Return what agents are told of each tool: a description, and the schema of what it takes."""
    tools = {}
    for name in _TOOLS:
        endpoint = ENDPOINTS[name]
        properties = {each: plain_schema(words, each, schema) for each, schema in endpoint.schemas(words).items()}
        gives = words.tools.get(name, words.answers[name])
        tools[name] = (f"{words.does[name]} {gives}", _as_object(properties, endpoint.required))
    told = {each: {"type": "string", "description": words.tools[f"upload_{each}"]} for each in _UPLOAD_PARAMETERS}
    tools[_UPLOAD] = (words.tools["upload"], _as_object(told, ["name", "data"]))
    return tools


class Agents:
    """A server of tools that keeps nothing between requests; each call goes by the same way as a program's."""

    def __init__(self, rooms: Rooms, uploads: Uploads) -> None:
        from mcp.server.lowlevel import Server
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
        from mcp.shared import session

        # It logs what agents send, in part by functions that would also set up the log of the whole process.
        logger = logging.getLogger("mcp")
        logger.setLevel(logging.CRITICAL)
        vars(session)["logging"] = logger
        self._rooms, self._uploads = rooms, uploads
        server: Server[Any, Any] = Server(rooms.words.page.title, instructions=rooms.words.api.tools["about"])
        server.list_tools()(self._list_tools)
        server.call_tool(validate_input=False)(self._call_tool)
        self._server = server
        self._manager = StreamableHTTPSessionManager(
            server, stateless=True, max_request_body_size=rooms.settings.max_body_bytes
        )

    @property
    def route(self) -> Route:
        """Where agents ask; they are told nothing unasked, so there is no stream to listen to."""
        return Route(PATH, _Endpoint(self._manager.handle_request), methods=["POST"])

    def with_lifespan(self, lifespan: Lifespan) -> Lifespan:
        """Return a lifespan of the page's server within which agents are answered."""

        @asynccontextmanager
        async def both(app: Any) -> AsyncIterator[None]:
            async with lifespan(app), self._manager.run():
                yield

        return both

    async def _list_tools(self) -> "list[types.Tool]":
        from mcp import types

        told = describe_tools(self._rooms.words.api)
        return [types.Tool(name=name, description=text, inputSchema=schema) for name, (text, schema) in told.items()]

    async def _call_tool(self, name: str, arguments: dict[str, Any]) -> "types.CallToolResult":
        from mcp import types

        try:
            return await self._answer(name, arguments)
        except CallRefused as error:
            sentence = str(error)
        except Exception as error:
            if not isinstance(error, DemoError):
                log_unexpected(error, "an agent's call")
            sentence = self._rooms.words.explain(error)
        return types.CallToolResult(content=[types.TextContent(type="text", text=sentence)], isError=True)

    async def _answer(self, name: str, arguments: dict[str, Any]) -> "types.CallToolResult":
        if name == _UPLOAD:
            return _as_result({"path": await self._add_part(arguments)})
        if name not in _TOOLS:
            raise UnknownFunction(name=name[:_SHOWN_LENGTH], known=", ".join([*_TOOLS, _UPLOAD]))
        request: Any = self._server.request_context.request
        scope: Scope = request.scope
        caller, outputs = Caller(scope, scope["path"].rstrip("/").removesuffix("/mcp")), list[Any]()
        async with aclosing(caller.ask(name, arguments)) as stream:
            async for event, outputs in stream:
                if event == "generating":
                    await self._tell(outputs[0])
        answer, *files = outputs
        answer.pop("values", None)  # of a map, whose picture says as much in fewer words
        return _as_result(answer, dict(zip(ENDPOINTS[name].files, files, strict=True)))

    async def _tell(self, progress: dict[str, Any]) -> None:
        """Send an agent that wants to know how far a training is."""
        context = self._server.request_context
        if context.meta is None or context.meta.progressToken is None or "says" not in progress:
            return
        done, total = progress["epoch"] or progress["done"], progress["num_epochs"] or progress["total"]
        await context.session.send_progress_notification(
            context.meta.progressToken, done, total or None, progress["says"], str(context.request_id)
        )

    async def _add_part(self, arguments: dict[str, Any]) -> str:
        """Write a part of a file to a new upload, or add it to one that has begun; return the upload's path."""
        known = ", ".join(_UPLOAD_PARAMETERS)
        for name in arguments:
            if name not in _UPLOAD_PARAMETERS:
                raise UnknownParameter(function=_UPLOAD, name=name[:_SHOWN_LENGTH], known=known)
        given = {name: str(arguments.get(name) or "") for name in _UPLOAD_PARAMETERS}
        for name in ("name", "data"):
            if not given[name]:
                raise ValueMissing(function=_UPLOAD, name=name, known=known)
        try:
            content = base64.b64decode(given["data"], validate=True)
        except ValueError as error:
            raise DataUrlUnreadable(value=given["data"][:_SHOWN_LENGTH]) from error
        if not given["path"]:
            await self._uploads.make_room()
            return str(keep_file(content, clean_name(given["name"]), place=""))
        return _append(Path(given["path"]), content, self._rooms.settings.max_upload_bytes)


class _Endpoint:
    """An ASGI app; starlette would take a function for a handler of requests."""

    def __init__(self, answer: Callable[[Scope, Receive, Send], Any]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)


def _append(path: Path, content: bytes, limit_bytes: int) -> str:
    if not lies_in(path):
        raise FileNotSent(value=str(path)[:_SHOWN_LENGTH])
    if path.stat().st_size + len(content) > limit_bytes:
        shutil.rmtree(path.parent, ignore_errors=True)
        raise RequestTooLarge(limit=limit_bytes / MEGABYTE)
    with path.open("ab") as file:
        file.write(content)
    return str(path)


def _as_object(properties: dict[str, Schema], required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _as_result(answer: dict[str, Any], files: dict[str, Any] | None = None) -> "types.CallToolResult":
    """Return an answer as text and as data; of its files pictures are put in, and are gone, and others are named."""
    from mcp import types

    pictures: list[types.ContentBlock] = []
    for name, file in (files or {}).items():
        path = Path(file["path"])
        if path.suffix == ".png":
            content = base64.b64encode(path.read_bytes()).decode()
            pictures.append(types.ImageContent(type="image", data=content, mimeType="image/png"))
            shutil.rmtree(path.parent, ignore_errors=True)
        else:
            answer = {**answer, name: file["path"], f"{name}_url": file["url"]}
    text = types.TextContent(type="text", text=json.dumps(answer, ensure_ascii=False))
    return types.CallToolResult(content=[text, *pictures], structuredContent=answer)
