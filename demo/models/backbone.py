"""A loaded, frozen network: stages, features and logits in one forward pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from PIL import Image

from demo.models.batching import Answers, Batcher, set_num_threads
from demo.models.engine.client import Engine
from demo.models.graph import FEATURES, LOGITS, copy_sharing_memory, cut_graph, open_graph, replace_module
from demo.models.head import Head
from demo.models.late import Tensor, fx, nn, torch
from demo.models.plan import Plan, guess_plan, measure_plan
from demo.models.weights import load_weights
from demo.models.zoo import BackboneSpec, StageLabel
from demo.system import num_cores

if TYPE_CHECKING:
    from demo.models.answering import FastForward

MAX_ASPECT = 8  # long side to short side


class Outputs(NamedTuple):
    """What one forward pass of N pictures gives: the stages' layers that are looked at, features and logits.

    Stages are (N, C, H, W), features (N, D), logits (N, K).
    """

    stages: dict[StageLabel, Tensor]
    features: Tensor
    logits: Tensor


@dataclass(frozen=True, eq=False)
class Backbone:
    """One pretrained network, shared by all visitors and written to by nobody.

    It stays in `eval()` without gradients, and no hook is ever set on it, because two threads would see each other's
    tensors. Answers are computed in `precision` and features in `features_precision`, "float32" or "bfloat16";
    everything else is float32, and so is a private backbone, which has layers that were trained with a visitor's head;
    `for_head` returns it. Where there is an engine, it is asked for the answers, and this process computes what it
    does not.
    """

    spec: BackboneSpec
    network: nn.Module
    device: torch.device
    precision: str = "float32"
    features_precision: str = "float32"
    is_private: bool = False
    engine: Engine | None = None
    _graph: fx.GraphModule = field(init=False, repr=False)
    _fast: FastForward | None = field(init=False, repr=False)
    _answer: Callable[[Tensor], Answers] = field(init=False, repr=False)
    _describe: Callable[[Tensor], Answers] = field(init=False, repr=False)  # what features are taken from
    _batcher: Batcher = field(init=False, repr=False)
    _private: WeakKeyDictionary[Head, Backbone] = field(default_factory=WeakKeyDictionary, init=False, repr=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _measuring: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_graph", open_graph(self.network, self.spec))
        fast = None if self.is_private else self._open_fast(self.precision)
        object.__setattr__(self, "_fast", fast)
        answer: Callable[[Tensor], Answers] = fast or self._answer_alone
        is_same = self.is_private or self.features_precision == self.precision
        object.__setattr__(self, "_answer", answer)
        object.__setattr__(self, "_describe", answer if is_same else self._open_fast(self.features_precision))
        plan, is_alone = guess_plan(self.spec.facts.gflops, self._num_cores), self.device.type != "cpu"
        object.__setattr__(self, "_batcher", Batcher(answer, plan, is_alone=is_alone, when_off=self._measure_apart))
        self._follow(plan)

    @property
    def plan(self) -> Plan:
        """How the network is asked at present, by a guess until `measure` was called."""
        return self._batcher.plan

    def measure(self) -> None:
        """Find out in how many threads and for how many pictures at a time the network is best asked here and now.

        That takes about half a second, in which others are answered as before. Features are the same whatever is found.
        """
        if not self._measuring.acquire(blocking=False):
            return
        try:
            self._follow(measure_plan(self._try, self._num_cores))
        finally:
            self._measuring.release()

    def run(self, pictures: Sequence[Image.Image]) -> Outputs:
        """Run RGB pictures of any size through the weights' own transforms and the network.

        Args:
            pictures: N RGB images.

        Returns:
            float32 tensors on the CPU, for inference only.
        """
        return self.run_transformed(torch.stack([self.transform(picture) for picture in pictures]))

    def run_transformed(self, batch: Tensor) -> Outputs:
        """Run what `transform` returned for N pictures, float32 (N, 3, H, W), through the network."""
        with set_num_threads(self.plan.num_threads), torch.inference_mode():
            outputs = self._graph(batch.to(self.device, memory_format=torch.channels_last))
            stages = {label: outputs[label.value].cpu().contiguous() for label in StageLabel}
            return Outputs(stages, outputs[FEATURES].cpu(), outputs[LOGITS].cpu())

    def answer(self, batch: Tensor) -> Answers:
        """Run transformed pictures (N, 3, H, W) together with those of others who ask at the same time.

        Returns:
            float32 features (N, D) and logits (N, K) on the CPU, as `run` gives them; in bfloat16 they differ by
            its rounding.
        """
        if self.engine and (answers := self.engine.answer(self.spec, self.precision, batch)):
            return answers
        return self._batcher.run(batch)

    def features(self, batch: Tensor) -> Tensor:
        """Return the features (N, D), float32, of transformed pictures (N, 3, H, W), computed in one thread.

        They are the same to the last digit whatever others ask meanwhile, so that a training can be repeated.
        """
        with set_num_threads(1):
            return self._describe(batch).features

    def subgraph(self, start: StageLabel | None, end: str = FEATURES) -> fx.GraphModule:
        """Return the part of the network between two of its nodes; it calls the shared modules.

        Args:
            start: The stage whose end (N, C, H, W) goes in; None for transformed pictures (N, 3, H, W).
            end: A stage's label for the layer that is looked at; `end_of` a stage, FEATURES or LOGITS of
                demo/models/graph.py.
        """
        return cut_graph(self._graph, start, end)

    def for_head(self, head: Head | None) -> Backbone:
        """Return the network that a head belongs to: this one, or a private one with the layers trained with the head.

        The private network shares the memory of all other layers. It is opened once, and freed with the head.
        """
        if head is None or not head.tuned:
            return self
        with self._opening:
            private = self._private.get(head)
            if private is None:
                private = self.open_private(head.tuned)
                self._private[head] = private
            return private

    def open_private(self, tuned: Mapping[str, Tensor]) -> Backbone:
        """Return a network with some tensors of its own, by their names; it shares the memory of all others."""
        network = copy_sharing_memory(self.network)
        network.load_state_dict(dict(tuned), strict=False, assign=True)
        network.requires_grad_(False).to(self.device).to(memory_format=torch.channels_last)
        private = Backbone(self.spec, network, self.device, is_private=True)
        private._follow(replace(self.plan, is_measured=False))
        return private

    def join(self, head: Head) -> nn.Module:
        """Return the network from transformed pictures (N, 3, H, W) to the logits (N, K) of a head, in `eval()`.

        Its modules are its own, and its parameters' memory that of the network and of the head.
        """
        joined = copy_sharing_memory(self.for_head(head).network)
        replace_module(joined, self.spec.logits, copy_sharing_memory(head.module))
        return joined.eval()

    def transform(self, picture: Image.Image) -> Tensor:
        """Return the network's input for one RGB picture: float32 (3, H, W), normalised."""
        with set_num_threads(1):
            transformed: Tensor = self.spec.build_transforms()(_crop_long(picture))
        return transformed

    def draw_input(self, picture: Image.Image) -> Image.Image:
        """Return the picture as the network sees it: resized and cropped, in its own colours."""
        return draw_transformed(self.spec, self.transform(picture))

    def _open_fast(self, precision: str) -> FastForward:
        from demo.models.answering import FastForward

        return FastForward(self.network, self.spec, self.device, getattr(torch, precision))

    @property
    def _num_cores(self) -> int:
        return num_cores() if self.device.type == "cpu" else 1

    def _follow(self, plan: Plan) -> None:
        if self._fast is not None:
            self._fast.pack_alone(plan.num_threads)
        self._batcher.plan = plan

    def _try(self, num_pictures: int, num_threads: int) -> None:
        """Ask about nothing, so many times at once and in so many threads."""
        if self._fast is not None and num_threads > 1:
            self._fast.pack_alone(num_threads)
        with set_num_threads(num_threads):
            self._answer(torch.zeros(num_pictures, 3, *self.spec.build_transforms().crop_size * 2))

    def _measure_apart(self) -> None:
        threading.Thread(target=self.measure, name="measuring", daemon=True).start()

    def _answer_alone(self, batch: Tensor) -> Answers:
        with torch.inference_mode():
            outputs = self._graph(batch.to(self.device, memory_format=torch.channels_last))
            return Answers(outputs[FEATURES].cpu(), outputs[LOGITS].cpu())


def draw_transformed(spec: BackboneSpec, transformed: Tensor) -> Image.Image:
    """Turn a transformed picture, float32 (3, H, W), back into an image with its own colours."""
    transforms = spec.build_transforms()
    mean = torch.tensor(transforms.mean).view(3, 1, 1)
    std = torch.tensor(transforms.std).view(3, 1, 1)
    with set_num_threads(1):
        pixels = (transformed * std + mean).clamp(0, 1).mul(255).round().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())  # (H, W, 3)


def _crop_long(picture: Image.Image) -> Image.Image:
    """Cut the ends off a very long picture: the centre crop drops them, but only after enlarging all of it."""
    width, height = (min(side, MAX_ASPECT * min(picture.size)) for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def load_backbone(
    spec: BackboneSpec,
    device: str = "cpu",
    *,
    precision: str = "float32",
    features_precision: str = "float32",
    engine: Engine | None = None,
) -> Backbone:
    """Build a backbone with its pretrained weights; a network with random weights is never returned.

    Args:
        spec: Row of the zoo's table.
        device: Device that computes, by torch's name: "cpu", "cuda".
        precision: Type of the numbers that answers are computed with: "float32" or "bfloat16".
        features_precision: Likewise for features that heads learn from.
        engine: Another machine that is asked for answers.

    Raises:
        WeightsError: If the weights are missing or damaged.
    """
    tensors = load_weights(spec)
    with torch.device("meta"):  # random weights, which the checkpoint replaces, would cost time and memory
        network = spec.build()
    if spec.library == "timm":
        tensors = _rename_by_order(tensors, network)
    network.load_state_dict(
        {name: each for name, each in tensors.items() if not name.startswith(spec.training_only)}, assign=True
    )
    network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
    return Backbone(spec, network, torch.device(device), precision, features_precision, engine=engine)


def _rename_by_order(tensors: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Give a checkpoint's tensors the network's names; the two list the same tensors in the same order."""
    return dict(zip(network.state_dict(), tensors.values(), strict=True))
