"""Class maps beside torch-cam and pytorch-grad-cam: the same pictures, for three networks, at every stage.

All three weigh a layer's maps by the gradient of a logit (Grad-CAM by its mean, LayerCAM by each cell's where that is
positive), sum them, and clip the sum at 0. They differ in what comes then:

- the demo keeps the sum, in units of the logit, as small as the layer is; only drawing scales it;
- torch-cam subtracts the smallest value and divides by the largest plus 1e-8, unless told not to;
- pytorch-grad-cam does so with 1e-7, enlarges to the size of the network's input (bilinear between the middles of
  cells, torch's `align_corners=False`), takes the mean over layers, here of one, and scales a second time.

So each map of the demo is scaled and enlarged here as that library does it. tests/tasks/test_cam.py compares maps that
are not scaled, for heads of visitors too.

All get their picture in the memory format that the demo uses. In another one convolutions round otherwise, and the
gradient may jump where a ReLU's input is next to 0: torch-cam's own map of a low stage can move by thousandths.

pytorch-grad-cam is not among our requirements, for its package is no wheel and brings OpenCV. The tests that need it
are skipped where it is missing: `pip install --no-deps grad-cam ttach opencv-python-headless`.
"""

import copy
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn import functional

from demo.models.backbone import Backbone, load_backbone
from demo.models.batching import set_num_threads
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.tasks.cam import ClassMaps, Method, map_stages
from tests.tasks.test_cam import untrained

Map = NDArray[np.float32]
NETWORKS = (EMBEDDED, *(pytest.param(name, marks=pytest.mark.slow) for name in ("resnet18", "googlenet")))


@pytest.fixture(scope="module", params=NETWORKS)
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return load_backbone(ZOO[EMBEDDED]) if request.param == EMBEDDED else untrained(request.param)


@pytest.fixture(autouse=True)
def in_as_many_threads(backbone: Backbone) -> Iterator[None]:
    """Compute what is compared in as many threads as the network: sums in another order differ in the sixth digit."""
    with set_num_threads(backbone.plan.num_threads):
        yield


@pytest.fixture(scope="module")
def maps(backbone: Backbone, cat: Image.Image) -> ClassMaps:
    with pytest.MonkeyPatch.context() as patch:  # Grad-CAM is shown at the high stage only
        patch.setattr("demo.tasks.cam._MAPS", tuple(product(StageLabel, Method)))
        return map_stages(backbone, cat)


def torch_cam(backbone: Backbone, batch: Tensor, class_idx: int, stage: StageLabel, method: Method) -> Map:
    """Return the map that torch-cam draws, 0 to 1, as large as the layer."""
    methods = pytest.importorskip("torchcam.methods")
    extractor = methods.GradCAM if method is Method.GRAD_CAM else methods.LayerCAM
    network = copy.deepcopy(backbone.network)
    with extractor(network, layer(backbone, stage)) as cam:
        (found,) = cam(class_idx, network(batch))
    picture: Map = found[0].numpy()
    return picture


def pytorch_grad_cam(backbone: Backbone, batch: Tensor, class_idx: int, stage: StageLabel, method: Method) -> Map:
    """Return the map that pytorch-grad-cam draws, 0 to 1, as large as the network's input."""
    library = pytest.importorskip("pytorch_grad_cam")
    build = library.GradCAM if method is Method.GRAD_CAM else library.LayerCAM
    network = copy.deepcopy(backbone.network)
    with build(network, [network.get_submodule(layer(backbone, stage))]) as cam:
        picture: Map = cam(batch, [lambda logits: logits[class_idx]])[0]
    return picture


def layer(backbone: Backbone, label: StageLabel) -> str:
    """Return the name of the module whose maps are weighed."""
    return next(stage.end for stage in backbone.spec.stages if stage.label is label)


def scale(values: Map, epsilon: float) -> Map:
    """Scale a map to 0 to 1."""
    scaled: Map = (values - values.min()) / ((values - values.min()).max() + epsilon)
    return scaled


def as_torch_cam(values: Map, _side_px: int) -> Map:
    """Scale a map of the demo as torch-cam does."""
    return scale(values, 1e-8)


def as_pytorch_grad_cam(values: Map, side_px: int) -> Map:
    """Scale a map of the demo, and enlarge it to the size of the network's input, as pytorch-grad-cam does."""
    scaled = torch.from_numpy(scale(values, 1e-7))[None, None]
    enlarged = functional.interpolate(scaled, (side_px, side_px), mode="bilinear", align_corners=False)
    return scale(enlarged[0, 0].numpy(), 1e-7)


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("stage", StageLabel)
@pytest.mark.parametrize(
    ("draw", "draw_alike"),
    [(torch_cam, as_torch_cam), (pytorch_grad_cam, as_pytorch_grad_cam)],
    ids=["torch_cam", "pytorch_grad_cam"],
)
def test_a_class_map_is_drawn_as_by(
    draw: Callable[[Backbone, Tensor, int, StageLabel, Method], Map],
    draw_alike: Callable[[Map, int], Map],
    stage: StageLabel,
    method: Method,
    backbone: Backbone,
    maps: ClassMaps,
    cat: Image.Image,
) -> None:
    batch = backbone.transform(cat)[None].to(memory_format=torch.channels_last).requires_grad_(True)
    class_idx = maps.maps[0].class_idx
    theirs = draw(backbone, batch, class_idx, stage, method)
    ours = draw_alike(maps.of(class_idx, stage, method).values, batch.shape[-1])
    assert theirs.shape == ours.shape
    assert theirs.max() > 0.9  # there is something to compare
    assert np.abs(ours - theirs).max() < 1e-5
    assert spearmanr(ours.ravel(), theirs.ravel()).statistic >= 0.99
