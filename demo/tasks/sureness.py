"""How sure a network is of photographs, beside whether it is right."""

from dataclasses import dataclass

from demo.models.zoo import EMBEDDED


@dataclass(frozen=True)
class Sureness:
    """How many of `count` photographs of known class a network got right, and the mean of its highest probability."""

    backbone_name: str
    count: int
    right: int
    mean: float
    measured_on: str  # year, month, day


# By tests/benchmarks/truth.py.
MEASURED = Sureness(EMBEDDED, count=111, right=99, mean=0.733, measured_on="2026-11-26")
