"""The networks on Ray Serve, for pages that are too many for one machine: `serve run demo.engine:app`.

Replicas hold networks by name and grow in number with the requests that wait; predictions that wait together share a
pass. Trainings are tasks of their own, on whatever machine of the cluster has a place. docs/engine.md says how to start
it on one machine, on a handful, and on Kubernetes.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

import ray
import torch
from pydantic import BaseModel, ConfigDict, Field
from ray import serve
from starlette.requests import Request
from starlette.responses import Response
from torch import Tensor

from demo.models.backbone import Backbone, load_backbone
from demo.models.batching import Answers
from demo.models.engine.wire import Network, Parcel
from demo.models.plan import MAX_BATCH
from demo.models.possible import choose_device
from demo.models.zoo import find_spec
from demo.settings import AUTO, Settings
from demo.system import give_way, keep_memory_together
from demo.tasks import desk
from demo.tasks.engine_work import WAITS
from demo.tasks.gpu_work import Training

Method = TypeVar("Method", bound=Callable[..., Any])

_NUM_NETWORKS = 3  # that one replica holds
_WAIT_S = 1.0  # time without news after which a page is told that its training waits


class Options(BaseModel):
    """What `serve run demo.engine:app name=value ...` may say."""

    model_config = ConfigDict(extra="forbid")

    min_replicas: int = Field(default=1, ge=1)
    max_replicas: int = Field(default=4, ge=1)
    waiting: float = Field(default=4, gt=0)  # requests for each replica, above which there are more replicas
    cpus: float = Field(default=1, gt=0)  # cores of a replica
    training_cpus: float = Field(default=1, gt=0)  # cores of a training
    gpus: float | None = Field(default=None, ge=0)  # of a replica and of a training; one where there are any


def app(options: Options) -> serve.Application:
    """Return what `serve run` deploys.

    Raises:
        SettingWrong: If the environment says what is not possible.
    """
    settings = Settings.from_environment(os.environ | {"DEMO_ENGINE": ""})
    gpus = _find_gpus() if options.gpus is None else options.gpus
    deployed = serve.deployment(
        Replica,
        autoscaling_config={
            "min_replicas": options.min_replicas,
            "max_replicas": max(options.min_replicas, options.max_replicas),
            "target_ongoing_requests": options.waiting,
        },
        ray_actor_options={"num_cpus": options.cpus, "num_gpus": gpus},
        max_ongoing_requests=64,
        max_queued_requests=400,
        logging_config={"enable_access_log": False},
        health_check_period_s=2,
        health_check_timeout_s=20,
    )
    return deployed.bind(settings, {"num_cpus": options.training_cpus, "num_gpus": gpus})


def _find_gpus() -> float:
    # `serve run` reads the options before it joins the cluster; Kubernetes' operator does so within.
    has_any = ray.cluster_resources().get("GPU", 0) > 0 if ray.is_initialized() else torch.cuda.is_available()
    return float(has_any)


def _holds_networks(method: Method) -> Method:
    """Let a method load networks by name, which then are found where they are."""
    wrapped: Method = serve.multiplexed(max_num_models_per_replica=_NUM_NETWORKS)(method)
    return wrapped


def _takes_together(method: Method) -> Method:
    """Let a method take together what waits, up to a pass of pictures; nobody waits for a pass to fill."""
    sizes: dict[str, Any] = {"batch_size_fn": lambda asked: sum(len(batch) for _, batch in asked)}
    wrapped: Method = serve.batch(max_batch_size=MAX_BATCH, batch_wait_timeout_s=0.0, **sizes)(method)
    return wrapped


class Replica:
    """One process that answers pages; it keeps networks, and nothing of any request."""

    def __init__(self, settings: Settings, training: dict[str, float]) -> None:
        """Begin without a network.

        Args:
            settings: Limits, and the token.
            training: What of the machines a training has, by Ray's names.

        Raises:
            SettingWrong: If there is no token, and other machines can ask.
        """
        desk.check_reach(settings.engine_token, find_host())
        self._settings = settings
        self._train = ray.remote(**training, max_retries=0, num_returns="streaming")(_train)
        # One at a time, and behind predictions.
        self._looking = ThreadPoolExecutor(1, "features", initializer=give_way)

    async def __call__(self, request: Request) -> Response:
        """Answer a page."""
        return await desk.respond(request, self, self._settings.engine_token, self._settings)

    async def find(self, network: Network) -> Backbone:
        """Return a network, loaded first if this replica has not got it."""
        backbone: Backbone = await self._load(network.model)
        return backbone

    async def answer(self, backbone: Backbone, batch: Tensor) -> Answers:
        """Return what a network answers, in one pass with what waits beside it."""
        answers: Answers = await self._answer_together((backbone, batch))  # is given those of others as well
        return answers

    async def look(self, backbone: Backbone, parcel: Parcel) -> bytes:
        """Return the features of what a parcel holds."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._looking, desk.look, backbone, parcel, self._settings)

    async def train(self, training: Training, network: Network) -> AsyncIterator[bytes]:
        """Yield a training's steps, which a task computes; closing cancels it."""
        steps = self._train.remote(training, network.precision)
        try:
            while True:
                step = asyncio.ensure_future(anext(steps))
                while not (await asyncio.wait({step}, timeout=_WAIT_S))[0]:
                    yield WAITS
                yield await step.result()
        except StopAsyncIteration:
            return
        finally:
            with suppress(ValueError):  # it has ended
                ray.cancel(steps)

    @_holds_networks
    async def _load(self, model: str) -> Backbone:
        name, _, precision = model.partition(":")
        return await asyncio.to_thread(_open, name, precision)

    @_takes_together
    async def _answer_together(self, asked: Any) -> Any:
        """Answer requests that wait together; Serve puts none of another network among them."""
        backbone, counts = asked[0][0], [len(batch) for _, batch in asked]
        answers = await asyncio.to_thread(backbone.answer, torch.cat([batch for _, batch in asked]))
        return [Answers(*rows) for rows in zip(*(each.split(counts) for each in answers), strict=True)]


def find_host() -> str:
    """Return the address at which Serve listens; no public function of its tells."""
    return str(serve.context._get_global_client().http_config.host)


def _train(training: Training, precision: str) -> Iterator[bytes]:
    """Train in a process that Ray keeps for tasks."""
    yield from desk.train(training, _keep(training.backbone_name, precision))


def _open(name: str, precision: str) -> Backbone:
    keep_memory_together()  # of this process
    return load_backbone(find_spec(name), choose_device(AUTO), precision=precision, features_precision=precision)


@lru_cache(maxsize=1)
def _keep(name: str, precision: str) -> Any:
    return _open(name, precision)
