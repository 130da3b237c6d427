"""The residual lab: what a shortcut carries, what its block adds, and what is left without them.

He et al. 2015, https://arxiv.org/abs/1512.03385, give each block a shortcut: it computes x + F(x), so that its layers
need only learn what is to be added to x. Veit et al. 2016, https://arxiv.org/abs/1605.06431, remove single blocks from
trained networks: a ResNet hardly suffers, because each shortcut is a way around a block; a plain network falls to
chance.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.data.dataset import Dataset, Split
from demo.models.backbone import Backbone
from demo.models.batching import set_num_threads
from demo.models.graph import copy_sharing_memory, replace_module
from demo.models.head import Head
from demo.models.late import Tensor, nn, torch
from demo.settings import Settings
from demo.tasks.blocks import BlockKind, cut_shortcut, find_parts, take_apart
from demo.tasks.errors import UnknownBlock
from demo.tasks.evaluate import Accuracy
from demo.tasks.features import FeatureProgress, SampleView, count_pictures, run_views
from demo.tasks.predict import ClassProbability


@dataclass(frozen=True, eq=False)
class Signal:
    """A summary of the tensor (C, H, W) at one place of a block.

    `magnitude` float32 (H, W) is the mean over channels of the magnitude; `norm` is the L2 norm of all numbers, and
    `mean_norm` the mean over positions of the L2 norm over channels.
    """

    magnitude: NDArray[np.float32]
    norm: float
    mean_norm: float


@dataclass(frozen=True, eq=False)
class BlockView:
    """What one block computes for one picture.

    `x` is the input, `shortcut` the output of the shortcut: x itself, or its projection. `residual` is F(x), `total`
    the sum of the two, and `output` the output of the block: `total` after the ReLU where there is one.
    """

    name: str
    x: Signal
    shortcut: Signal
    residual: Signal
    total: Signal
    output: Signal

    @property
    def ratio(self) -> float:
        """The norm of F(x), divided by the norm of the shortcut's output; infinite where that is all 0."""
        return self.residual.norm / self.shortcut.norm if self.shortcut.norm else float("inf")


@dataclass(frozen=True)
class Answer:
    """What a network with a part off says: its own best class, and the probability that is left of the first one."""

    best: ClassProbability
    probability: float


@dataclass(frozen=True)
class BlockTrial:
    """The best class of a whole network, and what is left of it without one block, and without its shortcut alone."""

    block: str
    whole: ClassProbability
    block_off: Answer
    shortcut_off: Answer

    @property
    def difference(self) -> float:
        """How much more of the probability, -1 to 1, is left without the block than without its shortcut."""
        return self.block_off.probability - self.shortcut_off.probability


def view_block(backbone: Backbone, block: str, picture: Image.Image) -> BlockView:
    """Run one picture through a network and return what one of its blocks adds to its input.

    Args:
        backbone: Network to look into, shared or private; left unchanged.
        block: Name of a block, from `list_blocks`.
        picture: RGB image of any size; it goes through the weights' own transforms.

    Raises:
        UnknownBlock: If the network has no such block.

    Source:
        He et al. 2015, https://arxiv.org/abs/1512.03385; figure 7 shows the size of F(x).
    """
    from demo.tasks.block_layers import RecordingBlock

    _check_names(backbone, [block])
    network = copy_sharing_memory(backbone.network)
    parts = take_apart(network.get_submodule(block))
    watched = RecordingBlock(parts.residual, parts.projection, rectifies=parts.kind is not BlockKind.INVERTED)
    replace_module(network, block, watched)
    batch = backbone.transform(picture)[None]
    with set_num_threads(backbone.plan.num_threads), torch.inference_mode():
        network(batch.to(backbone.device, memory_format=torch.channels_last))
    return BlockView(block, **{name: _summarise(values[0]) for name, values in watched.seen.items()})


def switch_off(backbone: Backbone, *, shortcuts: Collection[str] = (), blocks: Collection[str] = ()) -> Backbone:
    """Return a private copy of a network in which shortcuts or whole blocks do nothing.

    Args:
        backbone: Network to start from, shared or private; left unchanged. For a head with layers of its own, pass
            the network that `Backbone.for_head` returns.
        shortcuts: Names of blocks that are to give F(x), or ReLU(F(x)).
        blocks: Names of blocks that are to give x, or ReLU of its projection where shapes change. A block that is
            named in both gives zeros.

    Returns:
        A network with modules of its own that shares the memory of the parameters. Its features must not go into a
        FeatureCache, which knows only the backbone's name and would take them for the backbone's.

    Raises:
        UnknownBlock: If the network has no block of one of the names.

    Source:
        Veit et al. 2016, https://arxiv.org/abs/1605.06431
    """
    _check_names(backbone, [*shortcuts, *blocks])
    network = copy_sharing_memory(backbone.network)
    for name in {*shortcuts, *blocks}:
        block = network.get_submodule(name)
        if name not in blocks:
            cut_shortcut(block)
        else:
            replace_module(network, name, _keep_shortcut(block, passes=name not in shortcuts))
    return Backbone(backbone.spec, network, backbone.device, is_private=True)


def try_block(backbone: Backbone, block: str, picture: Image.Image, *, head: Head | None = None) -> BlockTrial:
    """Ask a network about one picture as it is, without one block, and without that block's shortcut alone.

    Args:
        backbone: Network to start from, left unchanged; see `switch_off`.
        block: Name of a block, from `list_blocks`.
        picture: RGB image of any size.
        head: A visitor's head to answer in place of ImageNet's classifier.

    Raises:
        UnknownBlock: If the network has no such block.
    """
    views = (backbone, switch_off(backbone, blocks=[block]), switch_off(backbone, shortcuts=[block]))
    batch = backbone.transform(picture)[None]
    names = head.class_names if head else backbone.spec.class_names
    asked = [_probabilities(view, batch, head) for view in views]  # each (K,)
    first = int(asked[0].argmax())
    answers = []
    for each in asked:
        best = int(each.argmax())
        answers.append(Answer(ClassProbability(best, names[best], float(each[best])), float(each[first])))
    return BlockTrial(block, answers[0].best, *answers[1:])


def measure_without(
    backbone: Backbone, dataset: Dataset, head: Head, settings: Settings
) -> Generator[FeatureProgress | Accuracy, None, None]:
    """Measure a head's accuracy on the validation pictures, on a network with parts switched off.

    The head stays as it was trained, on the features of the whole network.

    Args:
        backbone: Network from `switch_off`; left unchanged.
        dataset: Pictures with class indices and splits.
        head: The visitor's head.
        settings: Limits for decoding the pictures.

    Yields:
        FeatureProgress, first for none and then for each chunk of pictures, and Accuracy at the end.
    """
    views = [SampleView(sample) for sample in dataset.samples if sample.split is Split.VALIDATION]
    correct = 0
    yield FeatureProgress(0, count_pictures(views))
    for chunk, features, progress in run_views(views, backbone, settings, backbone.features):
        answers = head.logits(features).argmax(dim=1).tolist()
        correct += sum(answer == each.sample.class_idx for answer, each in zip(answers, chunk, strict=True))
        yield progress
    yield Accuracy.of(correct, len(views))


def _keep_shortcut(block: nn.Module, *, passes: bool) -> nn.Module:
    """Return a block without F: its shortcut where that passes, otherwise zeros of the same shape.

    An identity shortcut needs no ReLU after it, because x is itself the output of a ReLU.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if getattr(block, "downsample", None) is not None:
        layers |= {"downsample": block.get_submodule("downsample"), "relu": block.get_submodule("relu")}
    if not passes:
        from demo.tasks.block_layers import Zeros

        layers["zeros"] = Zeros()
    return nn.Sequential(layers) if layers else nn.Identity()


def _probabilities(view: Backbone, batch: Tensor, head: Head | None) -> Tensor:
    """Return what a network, or a head on it, gives each class (K,) for a transformed picture (1, 3, H, W)."""
    answers = view.answer(batch)
    return torch.softmax((head.logits(answers.features) if head else answers.logits)[0], dim=0)


def _check_names(backbone: Backbone, names: Collection[str]) -> None:
    known = find_parts(backbone.network)
    for name in names:
        if name not in known:
            raise UnknownBlock(name=name, backbone=backbone.spec.display_name, known=", ".join(known) or "-")


def _summarise(values: Tensor) -> Signal:
    """Summarise the tensor (C, H, W) at one place."""
    lengths = torch.linalg.vector_norm(values.double(), dim=0)  # (H, W)
    magnitude: NDArray[np.float32] = values.abs().mean(dim=0).cpu().numpy()
    return Signal(magnitude, float(torch.linalg.vector_norm(lengths)), float(lengths.mean()))
