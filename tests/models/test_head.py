"""The head of a visitor: how it begins, and what it makes of features."""

import pytest
import torch
from torch import Tensor, nn

from demo.models.head import Head, build_head, count_parameters, seeded_dropout
from demo.models.recipe import HeadConfig
from demo.models.zoo import EMBEDDED
from tests.networks import summary

CONFIGS = pytest.mark.parametrize("config", [HeadConfig(), HeadConfig(1, 8), HeadConfig(3, 16, 0.5)], ids=str)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_head_is_one_linear_layer() -> None:
    head = build_head(1280, 3, generator=generator(0))
    assert isinstance(head, nn.Linear)
    assert {name: tuple(tensor.shape) for name, tensor in head.state_dict().items()} == {
        "weight": (3, 1280),
        "bias": (3,),
    }
    assert all(parameter.requires_grad for parameter in head.parameters())


def test_a_head_has_its_hidden_layers_below_the_last_one() -> None:
    head = build_head(12, 3, HeadConfig(2, 8, 0.25), generator=generator(0))
    assert isinstance(head, nn.Sequential)
    kinds = [type(layer).__name__ for layer in head]
    assert kinds == ["Linear", "ReLU", "SeededDropout", "Linear", "ReLU", "SeededDropout", "Linear"]
    assert [tuple(each.weight.shape) for each in head if isinstance(each, nn.Linear)] == [(8, 12), (8, 8), (3, 8)]
    assert [each.p for each in head if isinstance(each, nn.Dropout)] == [0.25, 0.25]


@CONFIGS
def test_the_parameters_of_a_head_are_counted_without_building_it(config: HeadConfig) -> None:
    head = build_head(20, 5, config, generator=generator(0))
    assert count_parameters(20, 5, config) == sum(parameter.numel() for parameter in head.parameters())


@CONFIGS
def test_the_same_seed_gives_the_same_head(config: HeadConfig) -> None:
    first, second = (build_head(16, 4, config, generator=generator(7)).state_dict() for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_another_seed_gives_another_head() -> None:
    first, second = (build_head(16, 4, generator=generator(seed)).state_dict() for seed in (7, 8))
    assert not torch.equal(first["weight"], second["weight"])
    assert not torch.equal(first["bias"], second["bias"])


def test_a_head_is_drawn_as_torch_draws_its_own_layers() -> None:
    """So that the code beside the page, which uses a global seed, begins with the same numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        theirs = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)).state_dict()
    ours = build_head(16, 3, HeadConfig(1, 8, 0.5), generator=generator(5)).state_dict()
    torch.testing.assert_close(dict(ours), dict(theirs))


def test_a_new_head_leaves_the_global_seed_alone() -> None:
    before = torch.get_rng_state()
    head = build_head(16, 4, HeadConfig(1, 8, 0.5), generator=generator(0)).train()
    head(torch.ones(2, 16))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("num_features", [4, 512, 2048])
def test_a_new_head_fills_the_bounds_of_a_linear_layer(num_features: int) -> None:
    head, bound = build_head(num_features, 400, generator=generator(0)), num_features**-0.5
    for values in head.state_dict().values():
        assert -bound <= float(values.min()) < -0.95 * bound
        assert 0.95 * bound < float(values.max()) <= bound


def test_dropout_drops_its_share_by_its_seed_and_only_while_training() -> None:
    ones = torch.ones(10_000)

    def drop(seed: int) -> Tensor:
        dropped: Tensor = seeded_dropout(0.3, generator(seed)).train()(ones)
        return dropped

    assert sorted(set(drop(0).tolist())) == pytest.approx([0, 1 / 0.7])
    assert float(drop(0).count_nonzero()) == pytest.approx(7000, abs=200)
    assert torch.equal(drop(0), drop(0))
    assert not torch.equal(drop(0), drop(1))
    assert torch.equal(seeded_dropout(0.3, generator(0)).eval()(ones), ones)
    assert torch.equal(seeded_dropout(0.0, generator(0)).train()(ones), ones)


def test_logits_are_the_linear_layer_without_gradients() -> None:
    head = Head(build_head(8, 3, generator=generator(0)), ("a", "b", "c"), EMBEDDED, summary())
    features = torch.randn((5, 8), generator=generator(1))
    logits = head.logits(features)
    weights = head.module.state_dict()
    torch.testing.assert_close(logits, features @ weights["weight"].T + weights["bias"])
    assert logits.shape == (5, 3)
    assert not logits.requires_grad


def test_what_was_trained_is_the_head_and_the_layers_that_came_with_it() -> None:
    module = build_head(8, 3, generator=generator(0))
    assert Head(module, ("a", "b", "c"), EMBEDDED, summary()).num_parameters == 27
    tuned = {"bn2.weight": torch.ones(1280), "bn2.bias": torch.zeros(1280), "bn2.running_var": torch.ones(1280)}
    assert Head(module, ("a", "b", "c"), EMBEDDED, summary(), tuned).num_parameters == 27 + 2560
