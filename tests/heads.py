"""Heads that were not trained, for the tests of all that is done with one."""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor, nn

from demo.models.backbone import Backbone
from demo.models.head import Head, build_head
from demo.models.recipe import HeadConfig, Recipe, Trains
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec, StageLabel
from demo.tasks.standalone import make_synthetic
from tests.networks import summary
from tests.pictures import noise

NAMES = ("ants", "蜜蜂 🐝", "both")


def make_head(
    backbone: Backbone, config: HeadConfig | None = None, *, is_tuned: bool = False, names: tuple[str, ...] = NAMES
) -> Head:
    """Return a head whose answers are far from equal, with a last stage that was moved a little where asked for."""
    config, generator = config or HeadConfig(), torch.Generator().manual_seed(1)
    module = build_head(backbone.spec.num_features, len(names), config, generator=generator).eval()
    with torch.no_grad():
        for layer in (each for each in module.modules() if isinstance(each, nn.Linear)):
            layer.weight *= 4 if config.hidden_layers else 10
            layer.bias.zero_()
    tuned = {}
    if is_tuned:
        tensors = backbone.subgraph(StageLabel.MIDDLE).state_dict()
        tuned = {
            name: each * (1 + 0.3 * torch.rand(each.shape, generator=generator)) if each.is_floating_point() else each
            for name, each in tensors.items()
        }
    trains = Trains.LAST_STAGE if is_tuned else Trains.HEAD
    return Head(module, names, backbone.spec.name, summary(Recipe(trains, head=config)), tuned)


def light_head(names: Sequence[str] = NAMES, *, backbone: str = EMBEDDED, recipe: Recipe | None = None) -> Head:
    generator, recipe = torch.Generator().manual_seed(0), recipe or Recipe()
    module = build_head(ZOO[backbone].num_features, len(names), recipe.head, generator=generator)
    return Head(module, tuple(names), backbone, summary(recipe))


# One network of each family. With random weights the deepest ResNets, of the same blocks, enlarge what is rounded.
FAMILIES = tuple(name for name in ZOO if name not in ("resnet34", "resnet101", "resnet152"))

# Pictures that even a network with random weights tells apart.
UNLIKE = (noise(0, (300, 260)), make_synthetic(), Image.new("RGB", (400, 300), (200, 30, 60)))


def lively(spec: BackboneSpec) -> tuple[Backbone, Head, Tensor]:
    """Return a network with random weights, a head, and its probabilities for UNLIKE (3, 3), far from each other."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = spec.build().requires_grad_(False)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0  # the statistics become those of the pictures, so that no layer levels them out
                nn.init.uniform_(module.weight, 0.5, 1)
                nn.init.normal_(module.bias, 0, 0.1)
        network.train()(torch.stack([spec.build_transforms()(each) for each in UNLIKE]))
        network.eval()
    backbone = Backbone(spec, network.to(memory_format=torch.channels_last), torch.device("cpu"))
    features, head = backbone.run(UNLIKE).features, make_head(backbone)
    weight = head.module.state_dict()["weight"].clone()
    weight *= 0.5 / (features @ weight.T).std(dim=0).max()
    head.module.load_state_dict({"weight": weight, "bias": -(features @ weight.T).mean(dim=0)})
    probabilities = torch.softmax(head.logits(features), dim=1)
    assert float((probabilities.amax(dim=0) - probabilities.amin(dim=0)).max()) > 0.1
    return backbone, head, probabilities
