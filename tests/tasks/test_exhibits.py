"""What networks make of the examples: asked once, right, and freed with the network."""

import gc

import numpy as np
import pytest
import torch

from demo.data.samples import EXAMPLES, Example, find_example, read_example
from demo.models.backbone import Backbone
from demo.models.batching import Answers
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks.exhibits import Exhibit, Exhibits, see
from demo.tasks.predict import ClassProbability, Prediction
from tests.heads import make_head


@pytest.mark.parametrize(("class_idxs", "expected"), [((), None), ((3, 7), True), ((7,), False)])
def test_an_answer_is_right_wrong_or_neither(class_idxs: tuple[int, ...], expected: bool | None) -> None:
    said = Prediction(EMBEDDED, False, (ClassProbability(3, "three", 0.5),), torch.zeros(3, 2, 2), 0.0)
    answers = Answers(torch.zeros(1, 2), torch.zeros(1, 2))
    assert Exhibit(Example("a", "a.png", "CC0", class_idxs), answers, said).is_right is expected


def test_the_first_examples_are_answered_rightly_and_the_odd_ones_come_after(
    embedded: Backbone, settings: Settings
) -> None:
    right = [each.is_right for each in Exhibits().all(embedded, settings)]
    assert right == [True] * 4 + [None] * 3


def test_an_example_is_asked_about_once_and_answered_as_a_photograph(embedded: Backbone, settings: Settings) -> None:
    exhibits, cat = Exhibits(), find_example("cat")
    seen, alone = exhibits.see(embedded, cat, settings), see(embedded, read_example(cat, settings))
    assert [best.class_idx for best in seen.prediction.top] == [best.class_idx for best in alone.prediction.top]
    assert seen.prediction.top[0].probability == pytest.approx(alone.prediction.top[0].probability, abs=1e-4)
    for one, other in zip(seen.activations.stages, alone.activations.stages, strict=True):
        assert (one.values == other.values).all()
    assert exhibits.see(embedded, cat, settings).activations is seen.activations
    assert exhibits.of(embedded, cat, settings) is exhibits.of(embedded, cat, settings)


def test_a_head_answers_from_the_features_that_are_known(embedded: Backbone, settings: Settings) -> None:
    head, coffee = make_head(embedded), find_example("coffee")
    own = Exhibits().see(embedded, coffee, settings, head=head).prediction
    alone = see(embedded, read_example(coffee, settings), head=head).prediction
    assert own.own_classes
    assert [best.class_name for best in own.top] == [best.class_name for best in alone.top]


def test_a_private_networks_words_are_gone_with_it(embedded: Backbone, settings: Settings) -> None:
    exhibits = Exhibits()
    features = exhibits.features(embedded, settings)
    assert features.shape[0] == len(EXAMPLES)
    alone = embedded.run([read_example(EXAMPLES[5], settings)]).features[0].numpy()
    assert features[5] == pytest.approx(alone, abs=1e-4)
    name, weight = next((name, weight) for name, weight in embedded.network.named_parameters() if weight.dim() == 4)
    private = embedded.open_private({name: 2 * weight})
    assert not np.allclose(exhibits.features(private, settings), features)
    assert len(exhibits._known) == 2
    del private
    gc.collect()
    assert len(exhibits._known) == 1
