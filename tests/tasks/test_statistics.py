"""Two sides: their numbers are those of the stages, their histograms share edges, and no network is changed."""

import copy

import numpy as np
import pytest
import torch
from PIL import Image

from demo.errors import OptionOutOfRange
from demo.models.backbone import Backbone
from demo.models.zoo import StageLabel
from demo.tasks.statistics import (
    NUM_BINS,
    NUM_LARGEST,
    ChannelStrength,
    StageComparison,
    StageStatistics,
    compare_stages,
)
from tests.models.test_backbone import PICTURES, assert_frozen, hooks
from tests.tasks.test_cam import at_once, private, untrained


@pytest.fixture(scope="module")
def resnet() -> Backbone:
    return untrained("resnet18")


@pytest.fixture(scope="module")
def both(embedded: Backbone, cat: Image.Image) -> tuple[StageComparison, ...]:
    return compare_stages([(embedded, cat), (embedded, PICTURES[0])])


def assert_same(found: StageStatistics, expected: StageStatistics) -> None:
    for name in ("mean", "std", "zero_share", "silent_share"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-3, abs=1e-3)
    assert found.largest[0].channel_idx == expected.largest[0].channel_idx
    assert found.num_channels == expected.num_channels


@pytest.mark.parametrize("name", ["embedded", "resnet"])
def test_the_numbers_are_those_of_the_stages(request: pytest.FixtureRequest, name: str, cat: Image.Image) -> None:
    backbone: Backbone = request.getfixturevalue(name)
    comparisons = compare_stages([(backbone, cat)])
    outputs = backbone.run([cat]).stages
    assert [each.label for each in comparisons] == list(StageLabel)
    for comparison, stage in zip(comparisons, backbone.spec.stages, strict=True):
        values = outputs[comparison.label][0].double().numpy()  # (C, H, W)
        (side,) = comparison.sides
        assert comparison.stages == (stage,)
        assert side.num_channels == len(values)
        assert side.mean == pytest.approx(values.mean(), rel=1e-4, abs=1e-5)
        assert side.std == pytest.approx(values.std(), rel=1e-4)
        assert side.zero_share == pytest.approx((values == 0).mean(), abs=1e-3)
        assert side.silent_share == pytest.approx((values.max(axis=(1, 2)) == 0).mean(), abs=2 / len(values))
        strengths = values.mean(axis=(1, 2))
        assert [each.strength for each in side.largest] == pytest.approx(np.sort(strengths)[::-1][:NUM_LARGEST])
        assert all(strengths[each.channel_idx] == pytest.approx(each.strength, rel=1e-4) for each in side.largest)


def test_two_looks_share_the_edges_of_their_histograms(both: tuple[StageComparison, ...]) -> None:
    for comparison in both:
        assert comparison.edges.shape == (NUM_BINS + 1,)
        assert (np.diff(comparison.edges) > 0).all()
        for side in comparison.sides:
            assert side.counts.shape == (NUM_BINS,)
            assert side.counts.sum() == side.num_channels  # no channel lies beyond
        assert sum(side.counts[0] for side in comparison.sides) > 0
        assert sum(side.counts[-1] for side in comparison.sides) > 0


def test_the_counts_are_of_the_means_of_channels(embedded: Backbone, cat: Image.Image) -> None:
    comparison = compare_stages([(embedded, cat)], num_bins=5)[0]
    means = embedded.run([cat]).stages[StageLabel.LOW][0].double().mean(dim=(1, 2)).numpy()
    assert comparison.edges[[0, -1]] == pytest.approx([means.min(), means.max()], rel=1e-4)
    edges = np.concatenate(([-np.inf], comparison.edges[1:-1], [np.inf]))  # rounding may put some just beyond
    assert comparison.sides[0].counts.tolist() == np.histogram(means, edges)[0].tolist()


def test_a_look_at_the_same_is_the_same(embedded: Backbone, cat: Image.Image) -> None:
    for comparison in compare_stages([(embedded, cat), (embedded, cat)]):
        assert_same(*comparison.sides)
        assert np.abs(np.subtract(*(side.counts for side in comparison.sides))).sum() <= 2


def test_a_look_is_the_same_alone_and_beside_another(
    embedded: Backbone, cat: Image.Image, both: tuple[StageComparison, ...]
) -> None:
    for comparison, *others in zip(
        both, compare_stages([(embedded, cat)]), compare_stages([(embedded, PICTURES[0])]), strict=True
    ):
        for side, other in zip(comparison.sides, others, strict=True):
            assert_same(other.sides[0], side)
        assert comparison.sides[0].mean != pytest.approx(comparison.sides[1].mean, rel=1e-3)


def test_fine_tuning_changes_what_it_trained_and_nothing_below(embedded: Backbone, cat: Image.Image) -> None:
    """A head that brings the last convolution and its norm."""
    low, middle, high = compare_stages([(embedded, cat), (private(embedded).backbone, cat)])
    for comparison in (low, middle):
        assert_same(*comparison.sides)
    before, after = high.sides
    assert before.mean != pytest.approx(after.mean, rel=1e-3)


def test_a_channel_that_says_nothing_is_silent(resnet: Backbone, cat: Image.Image) -> None:
    """All norms that lead to the low stage give 0 for three of its 64 channels."""
    names = [f"{norm}.{name}" for norm in ("bn1", "layer1.0.bn2", "layer1.1.bn2") for name in ("weight", "bias")]
    tensors = {name: resnet.network.get_parameter(name).detach().clone() for name in names}
    for tensor in tensors.values():
        tensor[:3] = 0
    before, after = compare_stages([(resnet, cat), (resnet.open_private(tensors), cat)])[0].sides
    assert after.silent_share == pytest.approx(before.silent_share + 3 / 64)
    assert after.zero_share >= 3 / 64
    assert not {0, 1, 2} & {each.channel_idx for each in after.largest}


def test_a_plain_picture_has_statistics_too(resnet: Backbone) -> None:
    for comparison in compare_stages([(resnet, Image.new("RGB", (40, 30)))] * 2):
        for side in comparison.sides:
            assert np.isfinite([side.mean, side.std]).all()
            assert 0 <= side.silent_share <= side.zero_share <= 1


def test_two_networks_stand_side_by_side(embedded: Backbone, resnet: Backbone, cat: Image.Image) -> None:
    for number, comparison in enumerate(compare_stages([(embedded, cat), (resnet, cat)])):
        assert comparison.stages == (embedded.spec.stages[number], resnet.spec.stages[number])
        assert [side.counts.sum() for side in comparison.sides] == [side.num_channels for side in comparison.sides]
        assert comparison.sides[0].num_channels != comparison.sides[1].num_channels


def test_the_strongest_come_first(both: tuple[StageComparison, ...]) -> None:
    for comparison in both:
        for side in comparison.sides:
            assert len(side.largest) == NUM_LARGEST
            assert all(isinstance(each, ChannelStrength) for each in side.largest)
            strengths = [each.strength for each in side.largest]
            assert strengths == sorted(strengths, reverse=True)
            assert len({each.channel_idx for each in side.largest}) == NUM_LARGEST


@pytest.mark.parametrize("count", [0, 3])
def test_no_sides_and_more_than_two_are_refused(embedded: Backbone, cat: Image.Image, count: int) -> None:
    with pytest.raises(OptionOutOfRange, match=f"sides is {count}; it must be from 1 to 2"):
        compare_stages([(embedded, cat)] * count)


@pytest.mark.parametrize("num_bins", [-1, 0, 201])
def test_no_bins_and_too_many_are_refused(embedded: Backbone, cat: Image.Image, num_bins: int) -> None:
    with pytest.raises(OptionOutOfRange, match=f"num_bins is {num_bins}"):
        compare_stages([(embedded, cat)], num_bins=num_bins)


def test_all_this_leaves_the_network_as_it_was(embedded: Backbone, cat: Image.Image) -> None:
    before = copy.deepcopy(dict(embedded.network.state_dict()))
    answers = embedded.run([cat]).logits
    compare_stages([(embedded, cat), (private(embedded).backbone, cat)])
    with pytest.raises(OptionOutOfRange):
        compare_stages([])
    torch.testing.assert_close(dict(embedded.network.state_dict()), before, rtol=0, atol=0)
    assert hooks(embedded.network) == []
    assert_frozen(embedded.network)
    assert torch.equal(embedded.run([cat]).logits, answers)


def test_eight_visitors_at_once_each_get_their_own(embedded: Backbone) -> None:
    def visit(picture: Image.Image) -> tuple[StageComparison, ...]:
        return compare_stages([(embedded, picture)])

    alone = [visit(picture) for picture in PICTURES]
    for one, other in zip(alone, at_once(visit, PICTURES), strict=True):
        for expected, found in zip(one, other, strict=True):
            assert_same(found.sides[0], expected.sides[0])
    assert len({each[2].sides[0].largest for each in alone}) == 8
