"""What an address may do in a time, and that it is forgotten."""

import pytest

from demo.ui.budgets.meter import Meter


def test_what_was_done_is_forgotten_in_time() -> None:
    now = 100.0
    meter = Meter(20, 1 / 3, lambda: now)
    for _ in range(20):
        assert meter.wait_s("2001:db8::1", 1) == 0
        meter.count("2001:db8::1")
    assert meter.wait_s("2001:db8::ffff", 1) == pytest.approx(3.0)  # the same customer's network
    assert meter.wait_s("2001:db8:0:1::1", 1) == 0
    now += 3.0
    assert meter.wait_s("2001:db8::1", 1) == 0


def test_a_stranger_with_many_addresses_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.ui.budgets.meter._MAX_ADDRESSES", 100)
    meter = Meter(20, 1)
    for number in range(200):
        meter.count(f"10.0.0.{number}")
    assert len(meter._free_at) == 100
