"""An engine without Ray: the same handling of requests, by a server in this process that can go away and come back."""

import asyncio
import threading
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from torch import Tensor

from demo.models.backbone import Backbone
from demo.models.batching import Answers
from demo.models.cache import BackboneCache
from demo.models.engine.wire import Network, Parcel
from demo.settings import Settings
from demo.tasks import desk
from demo.tasks.gpu_work import Training
from tests.opened import free_port
from tests.patience import PATIENCE_S, wait_for

TOKEN = "known to both of these"


class Host:
    """What computes in a thread of this process; `asked` are the paths that were asked for, with their bytes."""

    def __init__(self, backbones: BackboneCache, settings: Settings, token: str = TOKEN) -> None:
        self._backbones, self._settings, self._token = backbones, settings, token
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.asked: list[tuple[str, bytes]] = []
        self.left = threading.Event()  # set when a page has left a training

    async def find(self, network: Network) -> Backbone:
        with self._backbones.lend(network.spec.name) as backbone:
            return backbone

    async def answer(self, backbone: Backbone, batch: Tensor) -> Answers:
        return await asyncio.to_thread(backbone.answer, batch)

    async def look(self, backbone: Backbone, parcel: Parcel) -> bytes:
        return await asyncio.to_thread(desk.look, backbone, parcel, self._settings)

    async def train(self, training: Training, network: Network) -> AsyncIterator[bytes]:
        steps = desk.train(training, await self.find(network))
        try:
            while (step := await asyncio.to_thread(next, steps, None)) is not None:
                yield step
        except asyncio.CancelledError:
            self.left.set()
            raise

    def open(self) -> None:
        """Listen, in a thread."""
        app = Starlette(routes=[Route("/{path:path}", self._respond, methods=["POST"])])
        config = uvicorn.Config(app, port=self._port, log_config=None, lifespan="off", timeout_graceful_shutdown=5)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        wait_for(lambda: self._server.started or not self._thread.is_alive())
        assert self._thread.is_alive()

    def shut(self) -> None:
        """Listen no longer."""
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)

    close = shut

    async def _respond(self, request: Request) -> Response:
        self.asked.append((request.url.path, await request.body()))
        return await desk.respond(request, self, self._token, self._settings)
