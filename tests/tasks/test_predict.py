"""One picture -> the best classes."""

import csv
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from PIL import Image

from demo.data.images import read_image
from demo.data.samples import find_example, read_example
from demo.errors import OptionOutOfRange
from demo.models.backbone import Backbone
from demo.models.head import Head, build_head
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks.predict import MAX_TOP_K, predict
from tests.networks import summary


def head_that_favours(class_idx: int, class_names: tuple[str, ...]) -> Head:
    """Return a head that ranks one class above all others, whatever the picture."""
    module = build_head(1280, len(class_names), generator=torch.Generator().manual_seed(0))
    module.get_parameter("bias").data[class_idx] += 1000.0
    return Head(module, class_names, EMBEDDED, summary())


@pytest.mark.parametrize("top_k", [1, 5, MAX_TOP_K])
def test_the_best_classes_come_first(embedded: Backbone, cat: Image.Image, top_k: int) -> None:
    top = predict(embedded, cat, top_k=top_k).top
    assert len(top) == top_k
    assert all(better.probability >= worse.probability for better, worse in pairwise(top))
    assert all(0 < each.probability < 1 for each in top)
    assert sum(each.probability for each in top) <= 1 + 1e-6
    assert len({each.class_idx for each in top}) == top_k


def test_the_probabilities_are_the_softmax_of_the_logits(embedded: Backbone, cat: Image.Image) -> None:
    expected = torch.softmax(embedded.run([cat]).logits[0], dim=0)
    top = predict(embedded, cat, top_k=MAX_TOP_K).top
    best = expected.sort(descending=True).values[:MAX_TOP_K].tolist()
    assert [each.probability for each in top] == pytest.approx(best, rel=1e-5, abs=1e-6)
    named = [float(expected[each.class_idx]) for each in top]
    assert [each.probability for each in top] == pytest.approx(named, rel=1e-5, abs=1e-6)


def test_a_class_has_the_name_of_its_index(embedded: Backbone, cat: Image.Image) -> None:
    for each in predict(embedded, cat).top:
        assert each.class_name == embedded.spec.class_names[each.class_idx]


@pytest.mark.parametrize("top_k", [-1, 0, MAX_TOP_K + 1])
def test_a_number_of_classes_out_of_range_is_told(embedded: Backbone, cat: Image.Image, top_k: int) -> None:
    with pytest.raises(OptionOutOfRange, match=f"top_k is {top_k}; .* from 1 to {MAX_TOP_K}"):
        predict(embedded, cat, top_k=top_k)


@pytest.mark.parametrize("class_idx", [0, 2])
def test_a_head_answers_in_the_place_of_imagenet(embedded: Backbone, cat: Image.Image, class_idx: int) -> None:
    names = ("ants", "bees", "猫")
    prediction = predict(embedded, cat, head=head_that_favours(class_idx, names))
    assert prediction.own_classes
    assert (prediction.top[0].class_idx, prediction.top[0].class_name) == (class_idx, names[class_idx])
    assert prediction.top[0].probability == pytest.approx(1.0)


def test_a_head_with_few_classes_gives_all_of_them(embedded: Backbone, cat: Image.Image) -> None:
    top = predict(embedded, cat, head=head_that_favours(0, ("ants", "bees", "cats")), top_k=5).top
    assert {each.class_name for each in top} == {"ants", "bees", "cats"}
    assert sum(each.probability for each in top) == pytest.approx(1.0)


def test_a_prediction_tells_how_it_came_about(embedded: Backbone, cat: Image.Image) -> None:
    prediction = predict(embedded, cat)
    assert prediction.backbone_name == EMBEDDED
    assert not prediction.own_classes
    assert prediction.network_input.tobytes() == embedded.draw_input(cat).tobytes()
    assert prediction.seconds > 0


def test_the_same_picture_gives_the_same_answer(embedded: Backbone, cat: Image.Image) -> None:
    first, second = predict(embedded, cat), predict(embedded, cat)
    assert [each.class_idx for each in first.top] == [each.class_idx for each in second.top]
    assert [each.probability for each in first.top] == pytest.approx([each.probability for each in second.top])


@pytest.mark.parametrize(
    ("example", "class_name"),
    [
        ("cat", "tiger cat"),
        ("coffee", "espresso"),
        ("rocket", "missile"),
        ("palace", "palace"),
        ("flower", "daisy"),
        ("astronaut", "football helmet"),
    ],
)
def test_an_example_is_named(embedded: Backbone, settings: Settings, example: str, class_name: str) -> None:
    picture = read_example(find_example(example), settings)
    assert predict(embedded, picture).top[0].class_name == class_name


def test_the_network_is_unsure_of_what_it_never_saw(embedded: Backbone, settings: Settings) -> None:
    """ImageNet has no class for a person: the best guess at the astronaut is wrong, and weak."""
    best = predict(embedded, read_example(find_example("astronaut"), settings)).top[0]
    assert best.probability == pytest.approx(0.16, abs=0.02)


def test_the_samples_of_imagenet_are_recognised(embedded: Backbone, settings: Settings, shared_data: Path) -> None:
    folder = shared_data / "imagenet_samples"
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ranks: list[int | None] = []
    for row in rows:
        top = predict(embedded, read_image(folder / row["file"], settings)).top
        found = [each.class_idx for each in top]
        class_idx = int(row["class_index"])
        ranks.append(found.index(class_idx) if class_idx in found else None)
    assert len(ranks) == 111
    assert ranks.count(0) >= 99
    assert len(ranks) - ranks.count(None) >= 108
