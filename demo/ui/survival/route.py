"""The route by which a browser fetches the copy of its visitor's head that it keeps."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.errors import DemoError
from demo.ui.server.gate import refuse
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref

PATH = "/keepsake"
TOKEN, SECRET, NUMBER = "x-demo-session", "x-demo-secret", "x-demo-number"  # headers: addresses are logged on their way


def keepsake_route(rooms: Rooms) -> Route:
    """Return the route: it gives the sealed head of a session to who knows its token.

    The answer is empty where the browser has this one already, and has the status 204 where there is no head to keep.
    """

    def send(request: Request) -> Response:
        headers = {"Cache-Control": "no-store"}
        known = request.headers.get(NUMBER, "")
        try:
            session = rooms.sessions.find(Ref(request.headers.get(TOKEN, "")))
            number = int(known) if known.isdecimal() and len(known) < 20 else 0
            keepsake = rooms.keepsakes.make(session, request.headers.get(SECRET, ""), known=number)
        except DemoError as error:
            return refuse(error, request.scope)
        if keepsake is None:
            return Response(status_code=204, headers=headers)
        return Response(keepsake, headers=headers, media_type="application/octet-stream")

    return Route(PATH, send)
