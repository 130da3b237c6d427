"""Parameters and shapes that the page says, beside what torchinfo counts in the network; shapes alone are computed."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torchinfo
from torch import nn

from demo.models.backbone import Backbone
from demo.models.recipe import Trains, lesson_recipe
from demo.models.zoo import ZOO
from demo.tasks.blocks import list_blocks
from demo.tasks.customers import count_shared
from demo.tasks.finetune import count_trained
from tests.conftest import names_to_try

NUM_CLASSES = 3
RESNET = ("layer4",)
# The modules after the middle stage, without the last layer.
LAST_STAGES = {
    "alexnet": ("features.6", "features.8", "features.10", "classifier.1", "classifier.4"),
    "googlenet": ("inception5a", "inception5b"),
    "inception_v3": ("Mixed_7a", "Mixed_7b", "Mixed_7c"),
    "resnet18": RESNET,
    "resnet34": RESNET,
    "resnet50": RESNET,
    "resnet101": RESNET,
    "resnet152": RESNET,
    "densenet121": ("features.transition3.conv", "features.denseblock4", "features.norm5"),
    "efficientnet_lite0": ("blocks.5", "blocks.6", "conv_head", "bn2"),
}
# He et al. 2015, table 1; EfficientNet-Lite0's are the blocks whose input and output have one shape.
NUM_BLOCKS = {
    "resnet18": 2 + 2 + 2 + 2,
    "resnet34": 3 + 4 + 6 + 3,
    "resnet50": 3 + 4 + 6 + 3,
    "resnet101": 3 + 4 + 23 + 3,
    "resnet152": 3 + 8 + 36 + 3,
    "efficientnet_lite0": 1 + 1 + 2 + 2 + 3,
}


@dataclass(frozen=True, eq=False)
class Counted:
    """A network without memory, and torchinfo's line on each of its modules; the first is the network's own."""

    backbone: Backbone
    lines: dict[nn.Module, Any]

    def count(self, *names: str) -> int:
        """Return how many parameters some modules have together."""
        return sum(self.lines[self.backbone.network.get_submodule(name)].num_params for name in names)


@pytest.fixture(scope="module", params=names_to_try(ZOO, slow=("resnet101", "resnet152", "densenet121")))
def counted(request: pytest.FixtureRequest) -> Counted:
    spec = ZOO[request.param]
    with torch.device("meta"):
        network = spec.build().eval().requires_grad_(False)
    sides = spec.build_transforms().crop_size * 2
    summary = torchinfo.summary(network, (1, 3, *sides), device="meta", verbose=0)
    backbone = Backbone(spec, network, torch.device("meta"), is_private=True)
    return Counted(backbone, {line.module: line for line in summary.summary_list})


def test_what_heads_share_is_all_but_the_last_layer(counted: Counted) -> None:
    assert count_shared(counted.backbone) == counted.count("") - counted.count(counted.backbone.spec.logits)


def test_a_recipe_trains_the_layers_that_it_says(counted: Counted) -> None:
    spec, head = counted.backbone.spec, NUM_CLASSES * (counted.backbone.spec.num_features + 1)
    everything = counted.count("") - counted.count(spec.logits)
    expected = {
        Trains.HEAD: head,
        Trains.LAST_STAGE: head + counted.count(*LAST_STAGES[spec.name]),
        Trains.EVERYTHING: head + everything,
    }
    found = {trains: count_trained(counted.backbone, NUM_CLASSES, lesson_recipe(trains)) for trains in Trains}
    assert found == expected


def test_the_residual_blocks_have_the_shapes_that_flow(counted: Counted) -> None:
    blocks = list_blocks(counted.backbone)
    assert len(blocks) == NUM_BLOCKS.get(counted.backbone.spec.name, 0)
    for block in blocks:
        line = counted.lines[counted.backbone.network.get_submodule(block.name)]
        assert ([1, *block.input_shape], [1, *block.output_shape]) == (line.input_size, line.output_size), block.name
