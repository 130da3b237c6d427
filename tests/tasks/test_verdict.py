"""Two heads on the same pictures: which is better, and how often chance would say so."""

import numpy as np
import pytest
from scipy.stats import binomtest

from demo.tasks.evaluate import Scores
from demo.tasks.verdict import Comparison, Verdict, compare


def scores(answers: list[int], truth: list[int]) -> Scores:
    logits = np.eye(3, dtype=np.float32)[answers]
    return Scores(
        np.arange(len(truth)), np.array(truth), logits, np.zeros((len(truth), 1), np.float32), ("a", "b", "c")
    )


def parted(only_deeper: int, only_alone: int, both: int = 20) -> Comparison:
    return Comparison(only_deeper + only_alone + both, both + only_deeper, both + only_alone, only_deeper, only_alone)


def test_the_counts_are_those_of_the_same_pictures() -> None:
    truth = [0, 0, 1, 1, 2, 2]
    found = compare(scores([0, 0, 1, 0, 0, 2], truth), scores([0, 1, 0, 1, 1, 2], truth))
    assert found == Comparison(count=6, deeper=4, alone=3, only_deeper=2, only_alone=1)


@pytest.mark.parametrize("first", range(9))
@pytest.mark.parametrize("second", [0, 1, 2, 5, 9, 40])
def test_chance_is_that_of_the_exact_sign_test(first: int, second: int) -> None:
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert parted(first, second).p_value == pytest.approx(expected, rel=1e-9)
    assert parted(second, first).p_value == parted(first, second).p_value


@pytest.mark.parametrize(
    ("only_deeper", "only_alone", "verdict"),
    [
        (0, 0, Verdict.EVEN),
        (9, 9, Verdict.EVEN),
        (0, 5, Verdict.WORSE_BY_CHANCE),  # 2 of 32
        (0, 6, Verdict.WORSE),  # 2 of 64
        (5, 0, Verdict.BETTER_BY_CHANCE),
        (6, 0, Verdict.BETTER),
        (20, 29, Verdict.WORSE_BY_CHANCE),
        (20, 39, Verdict.WORSE),
    ],
)
def test_a_difference_within_chance_is_called_chance(only_deeper: int, only_alone: int, verdict: Verdict) -> None:
    assert parted(only_deeper, only_alone).verdict is verdict
