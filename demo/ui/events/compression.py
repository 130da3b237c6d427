"""What is compressed on its way: documents, and the answers to events, each of which leaves its stream at once."""

import re

from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.ui.server.internals import API_PREFIX

# Of all streams these alone say much. A page holds another one as long as it is open, and a compressor for each would
# take a quarter of a megabyte.
_ANSWERS = re.compile(rf"{API_PREFIX}/(queue/data|call/)")
_LEVEL = 6
_LEVEL_OF_ANSWERS = 1  # most of them is pictures in base64: three quarters are left at any level, at this one soonest
_EXCLUDED = tuple(kind for kind in DEFAULT_EXCLUDED_CONTENT_TYPES if kind != "text/event-stream")


class Compression:
    """ASGI middleware that compresses for whoever accepts it."""

    def __init__(self, app: ASGIApp) -> None:
        self._documents = GZipMiddleware(app, compresslevel=_LEVEL)
        self._answers = GZipMiddleware(app, compresslevel=_LEVEL_OF_ANSWERS, exclude_content_types=_EXCLUDED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and compress what answers it."""
        is_event = scope["type"] == "http" and _ANSWERS.search(scope["path"])
        await (self._answers if is_event else self._documents)(scope, receive, send)
