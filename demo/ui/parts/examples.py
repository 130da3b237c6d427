"""The examples at addresses of their own, which a browser keeps: they are the same for everybody."""

from functools import cache

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from demo.data.images import pack_jpeg
from demo.data.samples import EXAMPLES, Example, find_example, read_example
from demo.settings import Settings

PATH = "/examples/{name}.jpg"
_ONE_DAY = {"Cache-Control": "public, max-age=86400"}


def address_of(example: Example) -> str:
    """Return an example's address, relative to that of either page."""
    return PATH.format(name=example.name).lstrip("/")


async def send_example(request: Request) -> Response:
    """Answer with the JPEG of an example."""
    name = request.path_params["name"]
    if name not in {each.name for each in EXAMPLES}:
        return PlainTextResponse("Not found", 404)
    return Response(_encode(find_example(name)), headers=_ONE_DAY, media_type="image/jpeg")


@cache
def _encode(example: Example) -> bytes:
    return pack_jpeg(read_example(example, Settings()), quality=80)
