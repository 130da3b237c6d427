"""One picture with parts of it erased -> what is left of a class's probability: does a heatmap tell the truth?

If a heatmap is right, the probability falls fastest where its hottest cells are erased, and slowest where its coldest
are. The parts are cells of a grid of 14 by 14, whatever stage the map is from: 16 px of 224. So a share means as many
cells, with edges as long, for a map of 7 by 7 as for one of 56 by 56, and the curves of stages can be compared.

An erased cell gets the mean colour of the picture. A blurred cell would keep colours and rough form, by which the
network may still know the class; a black one would be darker than most pictures. No filling is neutral: its edges are
new to the network, and the outline can give the class away (ROAD), for which random parts of the same shape are a
control.

Source:
    Deletion: Petsiuk et al. 2018 (RISE), https://arxiv.org/abs/1806.07421
    Outlines: Rong et al. 2022 (ROAD), https://arxiv.org/abs/2202.00449
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.errors import check_range
from demo.models.backbone import Backbone, draw_transformed
from demo.models.head import Head
from demo.models.late import Tensor, functional, torch
from demo.models.plan import MAX_BATCH
from demo.models.untrained import open_untrained, sample_weights
from demo.tasks.cam import ClassMaps, check_classes, map_stages

SHARES = (0.1, 0.2, 0.4)
NUM_PLACES = 3  # random places for each share: 3 shares of 5 parts and the whole picture fill two batches of 8
GRID = 14  # cells on a side


class Part(StrEnum):
    """Which part of a picture is erased.

    A random part has the shape of the hottest or of the painted part, at another place. The fall of a probability also
    depends on the outline of what is missing; so the two parts differ in their place alone.
    """

    HOTTEST = "hottest"
    RANDOM = "random"
    COLDEST = "coldest"
    PAINTED = "painted"
    REST = "rest"  # all but the painted cells


@dataclass(frozen=True, eq=False)
class Erased:
    """A picture with a part erased.

    `share` is the erased share of it, 0 to 1; `probabilities` are the class's, one for each random place, and one alone
    where nothing is random; `picture` is what the network saw, for the first of the places.
    """

    part: Part
    share: float
    probabilities: tuple[float, ...]
    picture: Image.Image

    @property
    def probability(self) -> float:
        """The mean of the probabilities, 0 to 1."""
        return sum(self.probabilities) / len(self.probabilities)


@dataclass(frozen=True, eq=False)
class Erasure:
    """What is left of a class's probability when parts of a picture are erased; `before` is for the whole picture."""

    class_idx: int
    before: float
    erased: tuple[Erased, ...]

    def curve(self, part: Part) -> list[tuple[float, float]]:
        """Return (share, probability) for one kind of part, from nothing erased on."""
        return [(0.0, self.before), *((each.share, each.probability) for each in self.erased if each.part is part)]


@dataclass(frozen=True, eq=False)
class _Variants:
    """A part to erase, at one place or at several: `masks` are float32 (V, H, W), 1 where the picture is erased."""

    part: Part
    share: float
    masks: Tensor


def erase_by_map(
    backbone: Backbone,
    picture: Image.Image,
    class_idx: int,
    values: NDArray[np.floating[Any]],
    *,
    head: Head | None = None,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
) -> Erasure:
    """Erase the hottest, random and the coldest parts of what the network sees, and ask it for the class each time.

    Of cells that are equally hot, those with more heat around them count as hotter.

    Args:
        backbone: Network that the head belongs to (`Backbone.for_head`); left unchanged.
        picture: RGB image of any size.
        class_idx: Class whose probability is asked for.
        values: The map, float (H, W) over what the network sees, such as those of `ClassMap`.
        head: Whose class; ImageNet's unless given.
        shares: How much to erase, 0 to 1 each.
        seed: Source of the random places.

    Raises:
        OptionOutOfRange: If a share is not from 0 to 1, or there is no such class.
    """
    for share in shares:
        check_range("share", share, 0, 1)
    generator = torch.Generator().manual_seed(seed)
    transformed = backbone.transform(picture)  # (3, H, W)
    order = _rank_cells(values, generator)
    variants = [each for share in shares for each in _mask_share(share, order, transformed, generator)]
    return _erase(backbone, transformed, class_idx, variants, head)


def erase_cells(
    backbone: Backbone,
    picture: Image.Image,
    class_idx: int,
    cells: Sequence[int],
    *,
    head: Head | None = None,
    seed: int = 0,
) -> Erasure:
    """Erase the cells that a visitor painted, the same shape at random places, and all but what was painted.

    Args:
        backbone: Network that the head belongs to (`Backbone.for_head`); left unchanged.
        picture: RGB image of any size.
        class_idx: Class whose probability is asked for.
        cells: Cells of the grid over what the network sees, numbered by rows, 0 to GRID² - 1.
        head: Whose class; ImageNet's unless given.
        seed: Source of the random places.

    Returns:
        One of each part; its share is that of what the network sees.

    Raises:
        OptionOutOfRange: If there is no such class, or no such cell.
    """
    for cell in cells:
        check_range("cell", cell, 0, GRID**2 - 1)
    transformed = backbone.transform(picture)  # (3, H, W)
    painted = _mask_cells(torch.tensor(cells, dtype=torch.long), transformed)  # (1, H, W)
    share = float(painted.mean())
    variants = [
        _Variants(Part.PAINTED, share, painted),
        _Variants(Part.RANDOM, share, _move(painted, NUM_PLACES, torch.Generator().manual_seed(seed))),
        _Variants(Part.REST, 1 - share, 1 - painted),
    ]
    return _erase(backbone, transformed, class_idx, variants, head)


def _rank_cells(values: NDArray[np.floating[Any]], generator: torch.Generator) -> Tensor:
    """Return the cells of the grid, numbered by rows, the coldest first."""
    heat = torch.from_numpy(values.astype(np.float32))[None, None]  # (1, 1, H, W)
    if min(values.shape) > GRID:
        heat = functional.adaptive_avg_pool2d(heat, GRID)
    else:
        heat = functional.interpolate(heat, (GRID, GRID), mode="bilinear", align_corners=False)
    heat = heat[0, 0]
    distance = torch.arange(GRID).view(-1, 1) - torch.arange(GRID)
    spread = torch.exp(-((distance / (GRID / 4)) ** 2) / 2)  # a Gaussian over a quarter of the side
    order = torch.randperm(GRID**2, generator=generator)
    for key in (spread @ heat @ spread, heat):  # stable sorts: the last key decides, the first breaks its ties
        order = order[key.flatten()[order].argsort(stable=True)]
    return order


def _mask_share(share: float, order: Tensor, transformed: Tensor, generator: torch.Generator) -> list[_Variants]:
    """Return the masks of a share of the cells, which are ordered from the coldest: hottest, random and coldest."""
    count = round(share * GRID**2)
    hottest, coldest = (_mask_cells(cells, transformed) for cells in (order[len(order) - count :], order[:count]))
    random = _move(hottest, NUM_PLACES, generator)
    parts = ((Part.HOTTEST, hottest), (Part.RANDOM, random), (Part.COLDEST, coldest))
    return [_Variants(part, share, masks) for part, masks in parts]


def _mask_cells(cells: Tensor, transformed: Tensor) -> Tensor:
    """Return a mask (1, H, W) over what the network sees, 1 in the given cells of the grid."""
    grid = torch.zeros(GRID**2)
    grid[cells] = 1
    masks = functional.interpolate(grid.view(1, 1, GRID, GRID), transformed.shape[1:], mode="nearest")
    return masks[0]


def _move(mask: Tensor, num_places: int, generator: torch.Generator) -> Tensor:
    """Shift a mask (1, H, W) to random places (V, H, W); what leaves at one edge comes in at the opposite one."""
    height, width = mask.shape[1:]
    places = torch.randint(1, height * width, (num_places,), generator=generator).tolist()
    return torch.cat([mask.roll(divmod(place, width), (1, 2)) for place in places])


def _erase(
    backbone: Backbone, transformed: Tensor, class_idx: int, variants: Sequence[_Variants], head: Head | None
) -> Erasure:
    """Fill the masked parts of a transformed picture (3, H, W) with its mean colour, and ask about each variant."""
    check_classes(backbone, [class_idx], head)
    colour = transformed.mean(dim=(1, 2), keepdim=True)  # (3, 1, 1)
    masks = torch.cat([transformed.new_zeros(1, *transformed.shape[1:]), *(each.masks for each in variants)])
    masks = masks[:, None]  # (1 + V, 1, H, W), the first one of the whole picture
    pictures = transformed * (1 - masks) + colour * masks  # (1 + V, 3, H, W)
    before, *left = _ask(backbone, pictures, class_idx, head)
    erased, first = [], 0
    for each in variants:
        probabilities = left[first : first + len(each.masks)]
        drawn = draw_transformed(backbone.spec, pictures[1 + first])
        erased.append(Erased(each.part, each.share, tuple(probabilities), drawn))
        first += len(probabilities)
    return Erasure(class_idx, before, tuple(erased))


def _ask(backbone: Backbone, pictures: Tensor, class_idx: int, head: Head | None) -> list[float]:
    """Return a class's probability for each of transformed pictures (N, 3, H, W), a full batch at a time."""
    answers = [backbone.answer(batch) for batch in pictures.split(MAX_BATCH)]
    logits = torch.cat([head.logits(each.features) if head else each.logits for each in answers])  # (N, K)
    probabilities: list[float] = torch.softmax(logits, dim=1)[:, class_idx].tolist()
    return probabilities


def map_untrained(
    backbone: Backbone,
    picture: Image.Image,
    class_idxs: Sequence[int],
    *,
    head: Head | None = None,
    seed: int = 0,
) -> ClassMaps:
    """Map classes as `map_stages` does, by the same architecture with random weights: a control.

    A map that looks the same without training shows the picture or the architecture, not what the network knows of
    the class.

    Args:
        backbone: Network whose architecture it is, and that the head belongs to; left unchanged.
        picture: RGB image of any size.
        class_idxs: Classes to map; they mean nothing to this network.
        head: Whose classes; a head of the same shape with random weights is put on top.
        seed: Source of all weights.

    Raises:
        OptionOutOfRange: If there is no class of such an index.

    Source:
        Adebayo et al. 2018, https://arxiv.org/abs/1810.03292
    """
    check_classes(backbone, class_idxs, head)
    generator = torch.Generator().manual_seed(seed)
    # Its batch norms know the picture alone: it is the picture's own, and no two visitors share one.
    untrained = open_untrained(backbone, [picture], generator)
    if head is not None:
        module = copy.deepcopy(head.module)
        sample_weights(module, generator)
        head = replace(head, module=module, tuned={})
    return map_stages(untrained, picture, class_idxs, head=head)


def compare_maps(first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]) -> float:
    """Return Spearman's rank correlation of two maps (H, W), -1 to 1: how far they agree on which cells are hotter.

    A map that is the same everywhere orders nothing; the result is then 0.
    """
    ranks = [_rank(each) for each in (first, second)]
    x, y = (each - each.mean() for each in ranks)
    length = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / length if length else 0.0


def _rank(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the rank of each value, flat; equal values share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.cumsum(counts) - (counts - 1) / 2
    ranks: NDArray[np.float64] = means[places.ravel()]
    return ranks
