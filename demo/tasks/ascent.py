"""One channel -> a picture that excites it, made by gradient ascent (feature visualisation)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from demo.errors import check_range
from demo.models.backbone import Backbone, draw_transformed
from demo.models.batching import set_num_threads
from demo.models.graph import copy_sharing_memory, replace_module
from demo.models.late import Tensor, functional, fx, nn, torch
from demo.models.zoo import StageLabel
from demo.tasks.activations import check_channel

NUM_STEPS = 96
NUM_STEPS_DEEP = 48  # steps for networks above DEEP_GFLOPS: a picture takes less than 20 s on two cores
DEEP_GFLOPS = 5.0
DRAW_EVERY = 8  # steps between two pictures that are shown
MIN_SIDE_PX, MAX_SIDE_PX, MAX_STEPS = 64, 256, 1000

MAX_KEPT = 200  # pictures that the cache keeps, of about 50 kB each

_LEARNING_RATE = 0.025
_DECAY = 1.5  # exponent by which high frequencies change less: 1 is grainy, 2 leaves hardly more than colours
_START = 0.01  # standard deviation of the spectrum at the start
_JITTER = 0.125  # share of the side by which the picture is shifted at most, each way
_SCALES = (0.75, 0.875, 1.0, 1.125, 1.25)  # only five, because torch prepares its convolutions again for each size

# The square root of the covariance matrix of red, green and blue over ImageNet's pictures: its columns are colours
# that do not correlate. Olah et al. 2017; the numbers are those of Lucid, lucid/optvis/param/color.py.
_COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))


@dataclass(frozen=True, eq=False)
class AscentStep:
    """The result of one step of gradient ascent.

    `step` counts from 1 to `num_steps`. `activation` is the quantity that grows, for the picture before this step: the
    channel's mean over the picture, shifted and scaled at random, before the ReLU. So it may be negative where the
    stage itself gives 0. `picture` is the picture after this step, RGB: one every DRAW_EVERY steps and at the last,
    None in between.
    """

    step: int
    num_steps: int
    activation: float
    picture: Image.Image | None


def ascend(
    backbone: Backbone,
    stage: StageLabel,
    channel_idx: int,
    *,
    side_px: int = 128,
    num_steps: int = NUM_STEPS,
    seed: int = 0,
) -> Generator[AscentStep, None, None]:
    """Change a picture of faint noise, step by step, so that one channel becomes stronger: gradient ascent.

    The mean over all positions grows: one position in the middle gives a spot on grey at the low stage, and pictures
    that are no clearer at the high one.

    Args:
        backbone: Network to look into, shared or private; left unchanged, no parameter gets a gradient.
        stage: Which of its stages.
        channel_idx: Which of the stage's channels.
        side_px: Side of the picture, 64 to 256; Inception v3 takes none below 100.
        num_steps: Steps of Adam.
        seed: Source of the start and of all shifts and scales; the same seed gives the same picture.

    Yields:
        One AscentStep for each step. Closing the generator ends the ascent within one step.

    Raises:
        OptionOutOfRange: If the stage has no such channel, or a number is outside its range.

    Source:
        Olah et al. 2017, https://distill.pub/2017/feature-visualization, and Lucid,
        https://github.com/tensorflow/lucid; the idea: Erhan et al. 2009, technical report 1341, Université de Montréal
    """
    check_range("side_px", side_px, MIN_SIDE_PX, MAX_SIDE_PX)
    check_range("num_steps", num_steps, 1, MAX_STEPS)
    ascent = _Ascent(backbone, stage, channel_idx, side_px, seed)
    for step in range(1, num_steps + 1):
        activation = ascent.step()
        is_drawn = step % DRAW_EVERY == 0 or step == num_steps
        yield AscentStep(step, num_steps, activation, ascent.draw() if is_drawn else None)


class AscentCache:
    """The last steps of finished ascents on shared networks: pictures that hold nothing of a visitor."""

    def __init__(self, max_pictures: int = MAX_KEPT) -> None:
        self._steps: OrderedDict[tuple[str, StageLabel, int], AscentStep] = OrderedDict()
        self._max_pictures = max_pictures
        self._lock = threading.Lock()

    def ascend(
        self,
        backbone: Backbone,
        stage: StageLabel,
        channel_idx: int,
        *,
        by: Callable[..., Generator[Any, None, None]] = ascend,
    ) -> Generator[Any, None, None]:
        """Yield the steps of an ascent; only the last one, at once, if the picture was finished before.

        Steps are those of `ascend`, or of another function that is given its arguments, with what else that one says.

        The cache neither keeps nor answers for private networks (`Backbone.is_private`). A full cache drops the
        picture that was finished longest ago.
        """
        key = (backbone.spec.name, stage, channel_idx)
        with self._lock:
            finished = None if backbone.is_private else self._steps.get(key)
        if finished is not None:
            yield finished
            return
        num_steps = NUM_STEPS_DEEP if backbone.spec.facts.gflops > DEEP_GFLOPS else NUM_STEPS
        for step in by(backbone, stage, channel_idx, num_steps=num_steps):
            is_last = isinstance(step, AscentStep) and step.step == step.num_steps
            if is_last and not backbone.is_private:
                self._keep(key, step)
            yield step

    def _keep(self, key: tuple[str, StageLabel, int], step: AscentStep) -> None:
        with self._lock:
            self._steps[key] = step
            while len(self._steps) > self._max_pictures:
                self._steps.popitem(last=False)


class _Ascent:
    """A picture between two steps, and how it is changed; it belongs to one caller.

    The parameters are not pixels but the picture's spectrum, in colours that do not correlate: in pixels high
    frequencies grow fastest and end as grey noise. The picture has no edges: what leaves at one side comes in at the
    other. It is shifted and scaled at random before each step, so that no pattern wins that holds at one place only.
    """

    def __init__(self, backbone: Backbone, stage: StageLabel, channel_idx: int, side_px: int, seed: int) -> None:
        self._backbone, self._channel_idx, self._side_px = backbone, channel_idx, side_px
        self._layers = _leave_out_relu(backbone.subgraph(None, stage.value))
        self._generator = torch.Generator().manual_seed(seed)
        start = torch.randn((3, side_px, side_px // 2 + 1, 2), generator=self._generator)
        self._spectrum = (_START * start).to(backbone.device).requires_grad_(True)
        self._gains = _weigh_frequencies(side_px).to(backbone.device)
        colours = torch.tensor(_COLOURS)
        self._colours = (colours / colours.norm(dim=0).max()).to(backbone.device)
        transforms = backbone.spec.build_transforms()
        self._mean, self._std = (
            torch.tensor(each, device=backbone.device).view(3, 1, 1) for each in (transforms.mean, transforms.std)
        )
        self._optimizer = torch.optim.Adam([self._spectrum], lr=_LEARNING_RATE)

    def step(self) -> float:
        """Do one step and return the mean activation before it."""
        # The number is set for each step because another thread may resume the generator. A second core saves little
        # on pictures this small, and while others compute, waiting for it takes many times as long.
        with set_num_threads(1), torch.enable_grad():
            moved = self._move(self._paint()[None]).contiguous(memory_format=torch.channels_last)  # (1, 3, H, W)
            maps = self._layers(moved)[0]  # (C, H, W)
            check_channel(self._channel_idx, len(maps))
            activation = maps[self._channel_idx].mean()
            (gradient,) = torch.autograd.grad(activation, self._spectrum)
            self._spectrum.grad = -gradient  # Adam descends
            self._optimizer.step()
        return float(activation.detach())

    def draw(self) -> Image.Image:
        """Return the picture as it is now."""
        with set_num_threads(1), torch.no_grad():
            return draw_transformed(self._backbone.spec, self._paint().cpu())

    def _paint(self) -> Tensor:
        """Return the picture, (3, H, W), as the weights' own transforms would normalise it."""
        side_px = self._side_px
        uncorrelated = torch.fft.irfft2(torch.view_as_complex(self._spectrum) * self._gains, s=(side_px, side_px))
        pixels = torch.einsum("ij,jhw->ihw", self._colours, uncorrelated).sigmoid()  # 0 to 1
        return (pixels - self._mean) / self._std

    def _move(self, picture: Tensor) -> Tensor:
        """Shift and scale a picture (1, 3, H, W) at random."""
        reach = round(_JITTER * self._side_px)
        shifts = torch.randint(-reach, reach + 1, (2,), generator=self._generator).tolist()
        scale = _SCALES[int(torch.randint(len(_SCALES), (), generator=self._generator))]
        side_px = round(scale * self._side_px)
        return functional.interpolate(picture.roll(shifts, (2, 3)), (side_px, side_px), mode="bilinear")


def _weigh_frequencies(side_px: int) -> Tensor:
    """Return the gain of each frequency of a spectrum, (H, W // 2 + 1): it falls with frequency, as in photographs."""
    frequencies = torch.hypot(torch.fft.fftfreq(side_px)[:, None], torch.fft.rfftfreq(side_px))
    return side_px / 4 / frequencies.clamp(min=1 / side_px) ** _DECAY


def _leave_out_relu(layers: fx.GraphModule) -> fx.GraphModule:
    """Change a subgraph, which nobody else holds, to end before its last ReLU, or before each that ends a branch.

    A channel whose ReLU gives 0 everywhere would have no gradient, and neither would one at the upper end of a ReLU6.
    """
    last = next(node for node in layers.graph.nodes if node.op == "output")
    ends = list(last.all_input_nodes)
    while ends:
        node = ends.pop()
        if node.target is torch.cat:  # the branches of GoogLeNet and Inception
            ends.extend(node.all_input_nodes)
        elif _is_relu(node, layers):
            node.replace_all_uses_with(node.all_input_nodes[0])
        elif node.op == "call_module" and _ends_in_relu(layers.get_submodule(str(node.target))):
            norm = copy_sharing_memory(layers.get_submodule(str(node.target)))
            norm.act = nn.Identity()
            replace_module(layers, str(node.target), norm)
    layers.graph.eliminate_dead_code()
    layers.recompile()
    return layers


def _is_relu(node: fx.Node, layers: fx.GraphModule) -> bool:
    if node.op == "call_module":
        return isinstance(layers.get_submodule(str(node.target)), nn.ReLU | nn.ReLU6)
    return node.target in (functional.relu, torch.relu)


def _ends_in_relu(norm: nn.Module) -> bool:
    """Say whether a module is a batch norm of timm that includes the ReLU after it."""
    return isinstance(getattr(norm, "act", None), nn.ReLU | nn.ReLU6)
