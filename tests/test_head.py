"""The head of a visitor: how it begins, and what is written into a file."""

import json
from pathlib import Path

import pytest
import safetensors
import torch
from torch import nn

from demo.models.head import HEAD_FORMAT, Head, TrainingSummary, build_head, to_safetensors

SUMMARY = TrainingSummary(25, 1.0, 0.9, 9, 10, None, 0, 3.5)
NAMES = ("蜜蜂 🐝", 'quote " and back\\slash', "line\nbreak", "naïve; <b>", " ")


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def head_of(class_names: tuple[str, ...], seed: int = 0) -> Head:
    module = build_head(8, len(class_names), generator=generator(seed))
    return Head(module, class_names, "efficientnet_lite0", SUMMARY)


def test_a_head_is_one_linear_layer() -> None:
    head = build_head(1280, 3, generator=generator(0))
    assert isinstance(head, nn.Linear)
    assert {name: tuple(tensor.shape) for name, tensor in head.state_dict().items()} == {
        "weight": (3, 1280),
        "bias": (3,),
    }
    assert all(parameter.requires_grad for parameter in head.parameters())


def test_the_same_seed_gives_the_same_head() -> None:
    first, second = (build_head(16, 4, generator=generator(7)).state_dict() for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_another_seed_gives_another_head() -> None:
    first, second = (build_head(16, 4, generator=generator(seed)).state_dict() for seed in (7, 8))
    assert not torch.equal(first["weight"], second["weight"])
    assert not torch.equal(first["bias"], second["bias"])


def test_a_new_head_leaves_the_global_seed_alone() -> None:
    before = torch.get_rng_state()
    build_head(16, 4, generator=generator(0))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("num_features", [4, 512, 2048])
def test_a_new_head_fills_the_bounds_of_a_linear_layer(num_features: int) -> None:
    head, bound = build_head(num_features, 400, generator=generator(0)), num_features**-0.5
    for values in head.state_dict().values():
        assert -bound <= float(values.min()) < -0.95 * bound
        assert 0.95 * bound < float(values.max()) <= bound


def test_logits_are_the_linear_layer_without_gradients() -> None:
    head = head_of(("a", "b", "c"))
    features = torch.randn((5, 8), generator=generator(1))
    logits = head.logits(features)
    weights = head.module.state_dict()
    torch.testing.assert_close(logits, features @ weights["weight"].T + weights["bias"])
    assert logits.shape == (5, 3)
    assert not logits.requires_grad


def test_a_written_head_can_be_read_back(tmp_path: Path) -> None:
    head, path = head_of(NAMES), tmp_path / "head.safetensors"
    path.write_bytes(to_safetensors(head, weights_file="efficientnet-lite0-57934424.pth"))
    with safetensors.safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    torch.testing.assert_close(tensors, dict(head.module.state_dict()), rtol=0, atol=0)
    assert tuple(json.loads(metadata.pop("classes"))) == NAMES
    assert metadata == {
        "format": HEAD_FORMAT,
        "backbone": "efficientnet_lite0",
        "weights": "efficientnet-lite0-57934424.pth",
    }


def test_a_file_shows_chinese_names_as_they_are() -> None:
    written = to_safetensors(head_of(("蚂蚁", "蜜蜂")), weights_file="a.pth")
    assert "蚂蚁".encode() in written


def test_the_same_head_gives_the_same_tensors_in_a_file() -> None:
    first, second = (to_safetensors(head_of(("a", "b"), seed), weights_file="a.pth") for seed in (0, 1))
    again = to_safetensors(head_of(("a", "b"), 0), weights_file="a.pth")
    assert dict(safetensors.deserialize(first)) == dict(safetensors.deserialize(again))
    assert dict(safetensors.deserialize(first)) != dict(safetensors.deserialize(second))
