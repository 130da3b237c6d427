"""Networks side by side, and tables that are safe to open."""

import csv
import io

import pytest
import torch

from demo.models.zoo import EMBEDDED
from demo.tasks.compare import agree, find_agreed, to_csv
from demo.tasks.predict import ClassProbability, Prediction


def prediction(*names: str) -> Prediction:
    top = tuple(ClassProbability(idx, name, 0.5) for idx, name in enumerate(names))
    return Prediction(EMBEDDED, False, top, torch.zeros(3, 1, 1), 0.1)


def test_agreed_is_what_all_have_among_their_best() -> None:
    both = [prediction("cat", "lynx"), prediction("lynx", "dog")]
    assert find_agreed(both) == {"lynx"}
    assert not agree(both)
    assert agree([prediction("cat", "lynx"), prediction("cat", "dog")])


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    (_, (written, other)) = csv.reader(io.StringIO(to_csv(["a", "b"], [[cell, "cat"]]).decode("utf-8-sig"), newline=""))
    assert written == f"'{cell}"
    assert other == "cat"
