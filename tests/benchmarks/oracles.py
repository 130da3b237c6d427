"""The numbers of the networks and the class maps, beside what others count and compute."""

from collections.abc import Callable
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
import torchinfo
from scipy.stats import spearmanr

from demo.models.backbone import load_backbone
from demo.models.graph import cut_graph, open_graph
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.tasks.cam import Method, map_stages
from tests.benchmarks.maps import read_photos
from tests.models.test_receptive_fields import NARROW_PX, NARROWEST_PX, average, measure
from tests.tasks.test_cam import untrained
from tests.tasks.test_cam_oracles import as_pytorch_grad_cam, as_torch_cam, pytorch_grad_cam, torch_cam

Rows = list[tuple[str, str, str]]
LIBRARIES = {"torch-cam": (torch_cam, as_torch_cam), "pytorch-grad-cam": (pytorch_grad_cam, as_pytorch_grad_cam)}


def fields(_photos: Path) -> Rows:
    """Measure each stage of each network by the gradient of a cell."""
    wrong, count = [], 0
    for name, spec in ZOO.items():
        graph = open_graph(average(spec.build()), spec)
        for stage in spec.stages:
            found = measure(
                cut_graph(graph, None, stage.label), stage.receptive_field_px, NARROWEST_PX.get(name, NARROW_PX)
            )
            count += 1
            if found != (stage.stride, stage.receptive_field_px, stage.first_centre_px):
                wrong.append(f"{name} {stage.label.value}")
    measured = f"{count - len(wrong)} of {count} equal; {', '.join(wrong) or 'none differs'}"
    return [("stride, receptive field and first centre of each stage, to the pixel", "all equal", measured)]


def counts(_photos: Path) -> Rows:
    """Count parameters and multiply-adds of each network with torchinfo."""
    rows = []
    for spec in ZOO.values():
        with torch.device("meta"):
            network = spec.build().eval()
        sides = spec.build_transforms().crop_size * 2
        counted = torchinfo.summary(network, (1, 3, *sides), device="meta", verbose=0)
        gflops = counted.total_mult_adds / 1e9
        more = counted.total_params - spec.facts.num_parameters
        measured = f"{more:+} parameters, {gflops / spec.facts.gflops - 1:+.2%} multiply-adds"
        rows.append((f"{spec.display_name}: torchinfo counts more than the page says", "0, within 2%", measured))
    return rows


def class_maps(photos: Path) -> Rows:
    """Draw the class maps of a photograph as other libraries do; pytorch-grad-cam only where it is installed."""
    picture, rows = next(read_photos(photos)), []
    libraries = [each for each in LIBRARIES if each != "pytorch-grad-cam" or find_spec("pytorch_grad_cam")]
    for name, library in product((EMBEDDED, "resnet18", "googlenet"), libraries):
        backbone = load_backbone(ZOO[name]) if name == EMBEDDED else untrained(name)
        draw, draw_alike = LIBRARIES[library]
        batch = backbone.transform(picture)[None].to(memory_format=torch.channels_last).requires_grad_(True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("demo.tasks.cam._MAPS", tuple(product(StageLabel, Method)))
            maps = map_stages(backbone, picture).maps
        largest, lowest = 0.0, 1.0
        for each in maps:
            theirs = draw(backbone, batch, each.class_idx, each.stage, each.method)
            ours = draw_alike(each.values, batch.shape[-1])
            largest = max(largest, float(np.abs(ours - theirs).max()))
            lowest = min(lowest, float(spearmanr(ours.ravel(), theirs.ravel()).statistic))
        check = (
            f"{backbone.spec.display_name}: {len(maps)} class maps and those of {library}, largest difference and rank"
        )
        rows.append((check, "1e-5, 0.99", f"{largest:.1e}, {lowest:.4f}"))
    return rows


BENCHMARKS: tuple[Callable[[Path], Rows], ...] = (fields, counts, class_maps)
