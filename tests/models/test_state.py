"""ModelState: each change is a new one."""

from dataclasses import FrozenInstanceError

import pytest
import torch

from demo.models.errors import UnknownBackbone
from demo.models.head import Head, build_head
from demo.models.state import ModelState
from demo.models.zoo import EMBEDDED, ZOO
from tests.networks import summary

IMAGENET = ZOO[EMBEDDED].class_names


def new_head(*class_names: str, backbone_name: str = EMBEDDED) -> Head:
    module = build_head(ZOO[backbone_name].num_features, len(class_names), generator=torch.Generator())
    return Head(module, class_names, backbone_name, summary())


HEAD = new_head("ants", "bees")


def test_a_new_state_answers_with_imagenet() -> None:
    state = ModelState(EMBEDDED)
    assert state.answering_head is None
    assert not state.head_fits
    assert state.class_names == IMAGENET


@pytest.mark.parametrize("field", ["backbone_name", "head", "use_head", "class_names"])
def test_nobody_assigns_to_a_state(field: str) -> None:
    with pytest.raises((FrozenInstanceError, AttributeError)):
        setattr(ModelState(EMBEDDED), field, None)


def test_a_trained_head_answers() -> None:
    state = ModelState(EMBEDDED).with_head(HEAD)
    assert state.answering_head is HEAD
    assert state.head_fits
    assert state.class_names == ("ants", "bees")


def test_a_second_head_takes_the_place_of_the_first() -> None:
    second = new_head("cats", "dogs", "owls")
    state = ModelState(EMBEDDED).with_head(HEAD).with_head(second)
    assert state.answering_head is second
    assert state.class_names == ("cats", "dogs", "owls")


def test_a_head_brings_its_backbone() -> None:
    head = new_head("ants", "bees", backbone_name="resnet50")
    state = ModelState(EMBEDDED).with_head(head)
    assert state.backbone_name == "resnet50"
    assert state.answering_head is head


def test_a_head_rests_while_another_backbone_is_in_use() -> None:
    resting = ModelState(EMBEDDED).with_head(HEAD).with_backbone("resnet18")
    assert resting.backbone_name == "resnet18"
    assert resting.head is HEAD
    assert not resting.head_fits
    assert resting.answering_head is None
    assert resting.class_names == ZOO["resnet18"].class_names
    assert resting.with_backbone(EMBEDDED).answering_head is HEAD


def test_a_resting_head_cannot_be_made_to_answer() -> None:
    resting = ModelState(EMBEDDED).with_head(HEAD).with_backbone("resnet18")
    assert resting.with_answers(own=True).answering_head is None


def test_imagenet_answers_on_request_and_the_head_stays() -> None:
    trained = ModelState(EMBEDDED).with_head(HEAD)
    asked = trained.with_answers(own=False)
    assert asked.answering_head is None
    assert asked.head is HEAD
    assert asked.head_fits
    assert asked.class_names == IMAGENET
    assert asked.with_answers(own=True).answering_head is HEAD


def test_without_a_head_there_are_no_own_answers() -> None:
    state = ModelState(EMBEDDED).with_answers(own=True)
    assert state.answering_head is None
    assert state.class_names == IMAGENET


def test_a_dropped_head_is_gone() -> None:
    state = ModelState(EMBEDDED).with_head(HEAD).without_head()
    assert state.head is None
    assert not state.use_head
    assert state.class_names == IMAGENET
    assert state.backbone_name == EMBEDDED


def test_a_change_leaves_the_state_that_it_came_from() -> None:
    state = ModelState(EMBEDDED, HEAD, use_head=True)
    changed = [
        state.with_backbone("resnet18"),
        state.with_head(new_head("cats", "dogs", backbone_name="resnet34")),
        state.with_answers(own=False),
        state.without_head(),
    ]
    assert all(new is not state for new in changed)
    assert (state.backbone_name, state.head, state.use_head) == (EMBEDDED, HEAD, True)


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(UnknownBackbone, match="resnet19"):
        ModelState(EMBEDDED).with_backbone("resnet19")
