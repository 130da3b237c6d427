"""The streams in which answers come: whoever asks for one that is not there is told so, and the log stays quiet."""

import json
import re

import gradio as gr
from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.ui.server.errors import EventOver, FieldNotFitting
from demo.ui.server.gate import refuse, words_for
from demo.ui.server.internals import API_PREFIX, queue_of

_PAGE = re.compile(rf"{API_PREFIX}/queue/data/?$")
_PROGRAM = re.compile(rf"{API_PREFIX}/call/(v2/)?[^/]*/(?P<event>[^/]*)/?$")


class Streams:
    """ASGI middleware that answers for streams of pages and programs which are not known, or not any more."""

    def __init__(self, app: ASGIApp, page: gr.Blocks) -> None:
        self._app, self._queue = app, queue_of(page)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or tell whoever sent it what is not there."""
        is_read = scope["type"] == "http" and scope["method"] == "GET"
        refusal = self._find_refusal(scope) if is_read else None
        try:
            await (refusal or self._app)(scope, receive, send)
        except Exception as error:
            if not _is_over(error):
                raise
            await send({"type": "http.response.body"})  # the stream has said so itself

    def _find_refusal(self, scope: Scope) -> Response | None:
        if _PAGE.search(scope["path"]):
            name = QueryParams(scope["query_string"]).get("session_hash")
            if name is None:
                return refuse(FieldNotFitting(name="session_hash", value="None"), scope)
            return None if name in self._queue.pending_messages_per_session else _say_over(scope)
        if program := _PROGRAM.search(scope["path"]):
            return None if self._is_known(program["event"]) else refuse(EventOver(), scope)
        return None

    def _is_known(self, event_id: str) -> bool:
        """Say whether an event runs, or has an answer that nobody has fetched yet."""
        mailboxes, open_events = self._queue.pending_messages_per_session, self._queue.pending_event_ids_session
        return (
            event_id in self._queue.event_ids_to_events
            or event_id in mailboxes
            or any(event_id in each for each in open_events.values())
        )


def _is_over(error: BaseException | None) -> bool:
    """Say whether a stream has ended because its mailbox is gone: two of one page, or a page that was forgotten."""
    return isinstance(error, HTTPException) or (error is not None and _is_over(error.__cause__))


def _say_over(scope: Scope) -> Response:
    """Tell a page, in gradio's own form, that its stream is not there: it then looks for its session anew."""
    sentence = words_for(Headers(scope=scope)).explain(EventOver())
    told = {"msg": "unexpected_error", "message": sentence, "session_not_found": True, "success": False}
    return Response(f"data: {json.dumps(told)}\n\n", media_type="text/event-stream")
