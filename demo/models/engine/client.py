"""The page's side of an engine: it asks over HTTP, asks again what failed, and says so where nobody answers.

Whatever is asked changes nothing there, so it may be asked any number of times. Where no answer can be had, the caller
gets None, and computes by itself.
"""

from __future__ import annotations

import itertools
import logging
import random
import threading
import time
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, TypeVar

import httpx

from demo.models.batching import Answers, set_num_threads
from demo.models.engine.breaker import Breaker
from demo.models.engine.wire import (
    ANSWERS,
    FEATURES,
    FINGERPRINT,
    MODEL,
    TRAINING,
    Network,
    Parcel,
    pack,
    to_crops,
    unpack_answers,
    unpack_stream,
    unpack_table,
)
from demo.models.late import Tensor
from demo.models.plan import MAX_BATCH
from demo.models.zoo import BackboneSpec

Read = TypeVar("Read")

_CONNECT_S = 1.0
_ANSWER_S = 10.0  # for a prediction with all its tries: somebody waits for it
_LOOK_S = 60.0  # likewise for a chunk of features, which may stand behind those of a class
_SILENCE_S = 15.0  # without a word from a training; while it waits for a place the engine says so every second
_TRIES, _TRAINING_TRIES, _PAUSE_S = 5, 2, 0.05  # the pause between two tries doubles
_BUSY = (408, 429)  # refusals that another try may not meet
_OF_THE_REQUEST = (413, 422)  # refusals of one request, which say nothing of the next
_MAX_CONNECTIONS = 256

_log = logging.getLogger("demo")


class EngineLost(OSError):
    """The engine does not answer, or not as it should; what it says is the reason."""


class EngineRefused(EngineLost):
    """The engine is there, and will not do this."""


class Engine:
    """One engine, as a page knows it, for all its threads."""

    def __init__(
        self,
        address: str,
        token: str = "",
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            address: Where it listens: http://host:8000.
            token: What it knows its pages by; empty for one on this machine that asks for none.
            clock: Seconds that never go back.
            sleep: Waits for so many seconds.
            transport: What carries requests, in place of the network.
        """
        self.address = address
        self._clock, self._sleep = clock, sleep
        self._breakers: dict[str, Breaker] = {}
        self._lock = threading.Lock()
        limits = httpx.Limits(max_connections=_MAX_CONNECTIONS, max_keepalive_connections=_MAX_CONNECTIONS)
        headers = {b"authorization": f"Bearer {token}".encode()} if token else {}
        # It stands beside the page: what the environment says of proxies is for the way to the internet.
        self._client = httpx.Client(
            base_url=address, headers=headers, limits=limits, trust_env=False, transport=transport
        )

    def is_away(self, spec: BackboneSpec, precision: str) -> bool:
        """Say whether the page computes by itself with a network, because nobody answered when it was last asked."""
        return self._breaker(Network(spec, precision)).is_open

    def answer(self, spec: BackboneSpec, precision: str, batch: Tensor) -> Answers | None:
        """Return what a network answers for transformed pictures, float32 (N, 3, H, W).

        Returns:
            float32 features (N, D) and logits (N, K); None if there is no engine, or what is asked about are no
            pictures, such as those of which parts are erased.
        """
        network, num_pictures = Network(spec, precision), len(batch)
        if self._breaker(network).is_resting or num_pictures > MAX_BATCH:
            return None
        with set_num_threads(1):
            crops = to_crops(spec, batch)
        if crops is None:
            return None
        read = partial(unpack_answers, spec, num_pictures=num_pictures)
        return self._ask(network, ANSWERS, crops.numpy().tobytes(), read, _ANSWER_S)

    def look(
        self, spec: BackboneSpec, precision: str, pictures: Sequence[bytes], views: Sequence[tuple[int, bool, int]]
    ) -> Tensor | None:
        """Return the features of some views of encoded pictures, float32 (views, D); None if there is no engine.

        Args:
            spec: The network.
            precision: What the features are computed in.
            pictures: Files of pictures.
            views: For each row the place of its picture among them, whether it is mirrored, and its crop.
        """
        network = Network(spec, precision)
        if self._breaker(network).is_resting:
            return None
        content = pack({"views": views}, pictures)
        read = partial(unpack_table, num_rows=len(views), num_columns=spec.num_features)
        return self._ask(network, FEATURES, content, read, _LOOK_S)

    def train(self, spec: BackboneSpec, precision: str, content: bytes) -> Generator[Parcel, None, None]:
        """Yield the parcels of a training as they come; closing ends it there too.

        If the stream breaks off, all begins anew, once: the same training gives the same steps.

        Raises:
            EngineLost: If there is no engine, or it was lost.
        """
        network = Network(spec, precision)
        breaker = self._breaker(network)
        if not breaker.admit():
            raise EngineLost(breaker.reason)
        for attempt in itertools.count(1):
            try:
                for parcel in self._train_once(network, content):
                    self._find(breaker)
                    yield parcel
                return
            except EngineRefused:
                self._find(breaker)
                raise
            except (EngineLost, httpx.TransportError, ValueError) as error:
                if attempt == _TRAINING_TRIES:
                    self._lose(breaker, _name(error))
                    raise EngineLost(_name(error)) from error
                self._sleep(_PAUSE_S)
            except BaseException:
                breaker.leave()
                raise

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _train_once(self, network: Network, content: bytes) -> Generator[Parcel, None, None]:
        timeout = httpx.Timeout(_SILENCE_S, connect=_CONNECT_S)
        options: dict[str, Any] = {"content": content, "headers": _headers(network), "timeout": timeout}
        with self._client.stream("POST", TRAINING, **options) as response:
            if response.status_code != httpx.codes.OK:
                response.read()
                refused = EngineRefused if response.status_code in _OF_THE_REQUEST else EngineLost
                raise refused(_tell(response))
            is_last = False
            for about, parts in unpack_stream(response.iter_bytes()):
                is_last = bool(about.pop("is_last", False))
                yield about, parts
            if not is_last:
                raise EngineLost("a training broke off")

    def _ask(
        self, network: Network, path: str, content: bytes, read: Callable[[bytes], Read], limit_s: float
    ) -> Read | None:
        """Return what was read of an answer; None if there is none within the limit."""
        breaker = self._breaker(network)
        if not breaker.admit():
            return None
        tries = 1 if breaker.is_open else _TRIES
        try:
            response = self._send(network, path, content, tries, limit_s)
            if response.status_code in _OF_THE_REQUEST:
                _log.warning("the engine: %s", _tell(response))
                self._find(breaker)
                return None
            if response.status_code != httpx.codes.OK:
                raise EngineLost(_tell(response))
            result = read(response.content)
        except (EngineLost, httpx.TransportError, ValueError) as error:
            self._lose(breaker, _name(error))
            return None
        except BaseException:
            breaker.leave()
            raise
        self._find(breaker)
        return result

    def _send(self, network: Network, path: str, content: bytes, tries: int, limit_s: float) -> httpx.Response:
        """Send a question, again if that may help, until its time is over."""
        deadline = self._clock() + limit_s
        for attempt in itertools.count(1):
            left_s, pause_s = deadline - self._clock(), _PAUSE_S * 2**attempt * random.uniform(0.5, 1)
            timeout = httpx.Timeout(left_s, connect=min(_CONNECT_S, left_s))
            failure: httpx.TransportError | None = None
            try:
                response = self._client.post(path, content=content, headers=_headers(network), timeout=timeout)
                if not (response.is_server_error or response.status_code in _BUSY):
                    return response
            except httpx.TransportError as error:
                failure = error
            if attempt == tries or self._clock() + pause_s > deadline:
                if failure is not None:
                    raise failure
                return response
            self._sleep(pause_s)
        raise AssertionError("the last try returns or raises")

    def _breaker(self, network: Network) -> Breaker:
        with self._lock:
            return self._breakers.setdefault(network.model, Breaker(self._clock))

    def _find(self, breaker: Breaker) -> None:
        if breaker.close():
            _log.info("the engine at %s answers again", self.address)

    def _lose(self, breaker: Breaker, reason: str) -> None:
        if breaker.open(reason):
            _log.warning("this page computes by itself, for the engine at %s does not: %s", self.address, reason)


def _headers(network: Network) -> dict[str, str]:
    return {MODEL: network.model, FINGERPRINT: network.fingerprint, "content-type": "application/octet-stream"}


def _tell(response: httpx.Response) -> str:
    """Return why the engine refuses, in its own sentence where it has one."""
    is_ours = 400 <= response.status_code < 500 and response.headers.get("content-type", "").startswith("text/plain")
    return f"{response.status_code} {response.text[:500]}".strip() if is_ours else f"status {response.status_code}"


def _name(error: Exception) -> str:
    return str(error) if isinstance(error, EngineLost) else type(error).__name__
