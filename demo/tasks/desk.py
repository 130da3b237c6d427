"""What an engine does with a page's request, whatever carries it: plain functions, without Ray.

A request is refused before anything is computed: without the token, of other versions, too large, or of another form.
Nothing that comes in is written down: crops and pictures are gone when the answer is.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from typing import Protocol

import numpy as np
import torch
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from torch import Tensor

from demo.data.images import read_image
from demo.errors import DemoError, SettingWrong, log_unexpected
from demo.models.backbone import Backbone
from demo.models.batching import Answers
from demo.models.engine.errors import (
    EngineDiffers,
    EngineNetworkUnknown,
    EngineRefusal,
    EngineRequestTooLarge,
    EngineRequestWrong,
    EngineTokenWrong,
)
from demo.models.engine.wire import (
    ANSWERS,
    FEATURES,
    FINGERPRINT,
    MODEL,
    TRAINING,
    Network,
    Parcel,
    from_crops,
    pack_answers,
    pack_table,
    unpack,
)
from demo.models.plan import MAX_BATCH
from demo.models.recipe import MAX_CROPS
from demo.models.zoo import ZOO
from demo.settings import MEGABYTE, PRECISIONS, Settings
from demo.tasks.engine_work import FAILED, read_training, write_step
from demo.tasks.gpu_work import Training
from demo.tasks.views import View

_MAX_VIEWS = 32  # rows of one request for features
_MAX_NAME = 60  # characters of what a refusal repeats
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_Views = TypeAdapter(list[tuple[int, bool, int]])


class Worker(Protocol):
    """What computes: a replica on Ray Serve, or a thread beside a test."""

    async def find(self, network: Network) -> Backbone:
        """Return a network, loaded first if it is not there; raise WeightsError if it has no weights here."""

    async def answer(self, backbone: Backbone, batch: Tensor) -> Answers:
        """Return what a network answers for transformed pictures, maybe together with those of other requests."""

    async def look(self, backbone: Backbone, parcel: Parcel) -> bytes:
        """Return what `look` does, in a thread."""

    def train(self, training: Training, network: Network) -> AsyncIterator[bytes]:
        """Return the parcels of `train` as they come, computed elsewhere; closing ends the training."""


async def respond(request: Request, worker: Worker, token: str, settings: Settings) -> Response:
    """Answer a request of a page; a refusal is a sentence, with its status.

    Args:
        request: The request, whose body was not read yet.
        worker: What computes.
        token: What pages are known by; without one only this machine is answered.
        settings: Limits.
    """
    try:
        check_token(request, token)
        network = read_network(request)
        content = await _read_body(request, _limit_bytes(request.url.path, settings))
        return await _answer(request.url.path, content, network, worker, settings)
    except EngineRefusal as error:
        return PlainTextResponse(str(error), error.status)
    except Exception as error:  # the page asks again, and then computes by itself
        log_unexpected(error, "the engine")
        return PlainTextResponse("", 500)


def check_reach(token: str, host: str) -> None:
    """Check that not everybody may use an engine that listens at an address.

    Raises:
        SettingWrong: If there is no token where other machines can ask.
    """
    if not token and host not in _LOOPBACK:
        possible = f"set, for other machines can ask at {host}: the same text for the page and for the engine"
        raise SettingWrong(variable="DEMO_ENGINE_TOKEN", value="", possible=possible)


def check_token(request: Request, token: str) -> None:
    """Check what a request is known by.

    Raises:
        EngineTokenWrong: If it is not the token; where there is none, if it does not come from this machine.
    """
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    is_known = secrets.compare_digest(given.encode("latin-1"), token.encode())  # as HTTP has headers
    if not is_known or not (token or (request.client and request.client.host in _LOOPBACK)):
        raise EngineTokenWrong()


def read_network(request: Request) -> Network:
    """Return the network that a request is about.

    Raises:
        EngineNetworkUnknown: If the zoo has none of the name.
        EngineDiffers: If it has other weights here, or is computed with other versions.
    """
    name, _, precision = request.headers.get(MODEL, "").partition(":")
    if name not in ZOO or precision not in PRECISIONS:
        raise EngineNetworkUnknown(name=name[:_MAX_NAME])
    network = Network(ZOO[name], precision)
    if (theirs := request.headers.get(FINGERPRINT, "")) != network.fingerprint:
        raise EngineDiffers(here=theirs[: 4 * _MAX_NAME], there=network.fingerprint)
    return network


def read_crops(content: bytes, network: Network) -> Tensor:
    """Return the transformed pictures, float32 (N, 3, H, W), whose crops were sent.

    Raises:
        EngineRequestWrong: If they are none, or too many.
    """
    side = network.spec.build_transforms().crop_size[0]
    num_pictures, rest = divmod(len(content), 3 * side * side)
    if rest or not 1 <= num_pictures <= MAX_BATCH:
        raise EngineRequestWrong(part="the crops")
    crops = np.frombuffer(bytearray(content), np.uint8).reshape(num_pictures, 3, side, side)
    return from_crops(network.spec, torch.from_numpy(crops))


def look(backbone: Backbone, parcel: Parcel, settings: Settings) -> bytes:
    """Return the features of views of encoded pictures as a page would compute them: the same pictures in one pass.

    Raises:
        EngineRequestWrong: If the views or a picture cannot be read.
    """
    about, contents = parcel
    try:
        views = _Views.validate_python(about.get("views"))
    except ValueError as error:
        raise EngineRequestWrong(part="the views") from error
    if not 1 <= len(views) <= _MAX_VIEWS or len(contents) > len(views):
        raise EngineRequestWrong(part="the views")
    if not all(0 <= place < len(contents) and 0 <= crop <= MAX_CROPS for place, _, crop in views):
        raise EngineRequestWrong(part="the views")
    try:
        pictures = [read_image(content, settings, name="") for content in contents]
    except DemoError as error:
        raise EngineRequestWrong(part="a picture") from error
    digests = [sha256(content).hexdigest() for content in contents]
    shown = [View(flip, crop).show(pictures[place], digests[place]) for place, flip, crop in views]
    return pack_table(backbone.features(torch.stack([backbone.transform(each) for each in shown])))


def train(training: Training, backbone: Backbone) -> Iterator[bytes]:
    """Yield the steps of a training as parcels; an error is told, and is no reason to ask anew."""
    try:
        for step in training.run(backbone, limit_s=training.settings.max_training_s):
            yield write_step(step)
    except Exception as error:
        log_unexpected(error, "a training of the engine")
        yield FAILED


async def _answer(path: str, content: bytes, network: Network, worker: Worker, settings: Settings) -> Response:
    if path == TRAINING:
        training = await asyncio.to_thread(_read_training, content, network, settings)
        return StreamingResponse(worker.train(training, network), media_type="application/octet-stream")
    batch = read_crops(content, network) if path == ANSWERS else None
    parcel = _unpack(content) if batch is None else ({}, [])
    try:
        backbone = await worker.find(network)
    except DemoError as error:
        raise EngineNetworkUnknown(name=network.spec.name) from error
    if batch is not None:
        return Response(pack_answers(await worker.answer(backbone, batch)))
    return Response(await worker.look(backbone, parcel))


def _read_training(content: bytes, network: Network, settings: Settings) -> Training:
    try:
        return read_training(network.spec.name, _unpack(content), settings)
    except EngineRefusal:
        raise
    except DemoError as error:
        raise EngineRequestWrong(part="the recipe") from error


def _unpack(content: bytes) -> Parcel:
    try:
        return unpack(content)
    except (ValueError, RecursionError) as error:
        raise EngineRequestWrong(part="the parcel") from error


def _limit_bytes(path: str, settings: Settings) -> int:
    """Return how large a request may be.

    Raises:
        EngineRequestWrong: If nothing is answered at the path.
    """
    limits = {
        ANSWERS: 16 * MEGABYTE,
        FEATURES: 8 * settings.max_image_bytes + MEGABYTE,
        TRAINING: settings.max_unpacked_bytes + MEGABYTE,
    }
    if path not in limits:
        raise EngineRequestWrong(part="the address")
    return limits[path]


async def _read_body(request: Request, limit_bytes: int) -> bytes:
    """Return what was sent.

    Raises:
        EngineRequestTooLarge: If it is more than the limit, as soon as that is known.
    """
    told = request.headers.get("content-length", "0")
    content = bytearray()
    if told.isdecimal() and int(told) <= limit_bytes:
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit_bytes:
                break
        else:
            return bytes(content)
    raise EngineRequestTooLarge(limit=limit_bytes / MEGABYTE)
