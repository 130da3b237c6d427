"""Heads on one network: whose numbers are whose, what each answers, and that training one leaves the others alone."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from demo.data.dataset import Dataset, Split, make_dataset
from demo.data.starters import STARTERS, read_starter
from demo.models.backbone import Backbone
from demo.models.head import Head, build_head
from demo.models.recipe import Optimizer, Recipe
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks.customers import (
    Answer,
    Outcome,
    ask,
    choose_questions,
    count_shared,
    digest_head,
    digest_network,
    sum_up,
    take_fingerprints,
)
from demo.tasks.finetune import FineTuned, fine_tune
from tests.networks import summary
from tests.pictures import noise

FEW = 4  # pictures of each class, of which one is for validation


@pytest.fixture(scope="module")
def signs(settings: Settings) -> Dataset:
    few = replace(settings, max_pictures=FEW * len(STARTERS["signs"].class_names))
    return make_dataset(read_starter("signs", few), settings)


def head_of(seed: int, names: tuple[str, ...], num_features: int) -> Head:
    module = build_head(num_features, len(names), generator=torch.Generator().manual_seed(seed))
    return Head(module.eval().requires_grad_(False), names, EMBEDDED, summary())


def copy_of(backbone: Backbone) -> Backbone:
    """Return a network of its own with the same numbers."""
    return backbone.open_private({name: each.clone() for name, each in backbone.network.state_dict().items()})


def test_the_same_numbers_have_the_same_fingerprint(embedded: Backbone) -> None:
    fingerprint = digest_network(embedded)
    assert len(fingerprint) == 64
    assert int(fingerprint, 16) > 0
    copy = copy_of(embedded)
    assert digest_network(copy) == fingerprint
    copy.network.to(memory_format=torch.contiguous_format)
    assert digest_network(copy) == fingerprint


@pytest.mark.parametrize("kind", ["parameters", "buffers"])
def test_one_changed_number_of_a_network_changes_its_fingerprint(embedded: Backbone, kind: str) -> None:
    before, copy = digest_network(embedded), copy_of(embedded)
    *_, last = getattr(copy.network, kind)()
    last.data[(0,) * last.dim()] += 1
    assert digest_network(copy) != before
    assert digest_network(embedded) == before


def test_the_smallest_change_of_a_head_changes_its_fingerprint() -> None:
    head, same, other = (head_of(seed, ("a", "b"), 8) for seed in (0, 0, 1))
    assert digest_head(head) == digest_head(same)
    assert digest_head(head) != digest_head(other)
    weight = same.module.get_parameter("weight")
    weight.data[0, 0] = torch.nextafter(weight.data[0, 0], torch.tensor(1e9))
    assert digest_head(head) != digest_head(same)
    tuned = Head(head.module, head.class_names, head.backbone_name, head.summary, {"norm": torch.ones(3)})
    assert digest_head(tuned) != digest_head(head)


def test_heads_share_the_network_without_its_classifier(embedded: Backbone) -> None:
    spec = embedded.spec
    classifier = (spec.num_features + 1) * len(spec.class_names)
    assert count_shared(embedded) == sum(each.numel() for each in embedded.network.parameters()) - classifier


def test_questions_are_validation_pictures_of_different_classes(signs: Dataset) -> None:
    questions = choose_questions(signs, 4)
    assert [each.class_idx for each in questions] == [0, 1, 2, 3]
    assert {each.split for each in questions} == {Split.VALIDATION}
    assert len(choose_questions(signs, 99)) == len(signs.class_names)


def test_an_answer_names_its_best_class() -> None:
    answer = Answer(("a", "b", "c"), (0.2, 0.7, 0.1))
    assert (answer.class_name, answer.probability) == ("b", 0.7)


def test_each_head_answers_only_with_its_own_classes(embedded: Backbone) -> None:
    pictures: list[Image.Image] = [noise(seed) for seed in range(3)]
    for seed, names in enumerate([("0", "1", "2"), ("stop", "yield")]):
        head = head_of(seed, names, embedded.spec.num_features)
        answers = ask(embedded, head, pictures)
        assert {each.class_names for each in answers} == {names}
        assert {each.class_name for each in answers} <= set(names)
        assert [sum(each.probabilities) for each in answers] == pytest.approx([1, 1, 1])
        assert ask(embedded, head, pictures) == answers


def test_training_one_head_leaves_the_network_and_another_head_as_they_were(
    embedded: Backbone, signs: Dataset, settings: Settings
) -> None:
    other = head_of(0, ("0", "1"), embedded.spec.num_features)
    before = digest_network(embedded), digest_head(other)
    *_, trained = fine_tune(embedded, signs, Recipe(optimizer=Optimizer.RIDGE), settings)
    assert isinstance(trained, FineTuned)
    assert (digest_network(embedded), digest_head(other)) == before
    assert digest_head(trained.head) != before[1]


def test_fingerprints_are_taken_of_the_heads_that_there_are(embedded: Backbone) -> None:
    head = head_of(0, ("a", "b"), embedded.spec.num_features)
    taken = take_fingerprints(embedded, [None, head])
    assert taken.network == digest_network(embedded)
    assert taken.heads == (None, digest_head(head))


def test_an_outcome_counts_what_is_shared_and_what_is_ones_own(embedded: Backbone, signs: Dataset) -> None:
    names, num_features = signs.class_names, embedded.spec.num_features
    outcome = sum_up(embedded, head_of(0, names, num_features), signs)
    num_own = (num_features + 1) * len(names)
    assert outcome == Outcome(names, FEW * len(names), 9, 10, num_own, count_shared(embedded))
