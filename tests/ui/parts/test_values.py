"""Values as anybody may send them: each is what it should be, or refused by name."""

import math
from typing import Any

import pytest

from demo.ui.parts.errors import OptionNotNumber, OptionNotWhole
from demo.ui.parts.values import parse_number, parse_whole


@pytest.mark.parametrize("value", [True, False, None, "3", [3], {}, b"3"])
def test_what_is_no_number_is_refused(value: Any) -> None:
    for parse in (parse_number, parse_whole):
        with pytest.raises(OptionNotNumber, match=r"seed is .*; it must be a number"):
            parse("seed", value)


@pytest.mark.parametrize("value", [2.5, math.inf, -math.inf, math.nan, 10**400])
def test_what_is_not_whole_is_refused(value: float) -> None:
    with pytest.raises(OptionNotWhole, match=r"seed is .*; it must be a whole number"):
        parse_whole("seed", value)


def test_a_whole_number_may_come_as_a_float() -> None:
    assert [parse_whole("seed", value) for value in (3, 3.0, -2.0)] == [3, 3, -2]
    assert all(isinstance(parse_whole("seed", value), int) for value in (3, 3.0))


def test_what_is_too_large_for_a_float_is_infinite() -> None:
    assert [parse_number("seed", value) for value in (10**400, -(10**400), 2)] == [math.inf, -math.inf, 2.0]
