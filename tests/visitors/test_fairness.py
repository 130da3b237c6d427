"""Whose turn it is, simulated: no threads, and a clock of its own."""

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from demo.visitors.fairness import SLICE_S, Fairness, Owner, Work


@dataclass(eq=False)
class Errand:
    """A piece of work that comes at a time and needs some seconds; what was said and what was so is noted."""

    work: Work
    needs_s: float
    guess_s: float | None = None
    done_at: float | None = None
    said: tuple[float, float] | None = None
    left_at: float = field(default=float("inf"))

    @property
    def wait_s(self) -> float:
        assert self.done_at is not None
        return self.done_at - self.work.came


def page(name: str, came: float, needs_s: float, address: str = "home", **how: bool) -> Errand:
    return Errand(Work(Owner(name, address), came, is_long=needs_s > 4, **how), needs_s)


def program(address: str, came: float, needs_s: float) -> Errand:
    return Errand(Work(Owner(address=address, is_program=True), came, is_long=needs_s > 4), needs_s)


def play(
    errands: Sequence[Errand],
    fairness: Fairness | None = None,
    look: Callable[[float, list[Errand]], None] = lambda _now, _here: None,
) -> None:
    """Let errands take turns until all are done."""
    fairness = fairness or Fairness()
    now, coming, here = 0.0, sorted(errands, key=lambda each: each.work.came), list[Errand]()
    while coming or here:
        while coming and (coming[0].work.came <= now or not here):
            here.append(coming.pop(0))
            now = max(now, here[-1].work.came)
        for each in here:
            each.work.left_s = now - each.left_at if now >= each.left_at else None
        look(now, here)
        work = fairness.choose([each.work for each in here], now)
        assert work is not None
        work.has_begun = True
        chosen = next(each for each in here if each.work is work)
        seconds = min(SLICE_S, chosen.needs_s - work.used_s)
        now += seconds
        fairness.charge(work, seconds, now)
        if work.used_s >= chosen.needs_s - 1e-9:
            chosen.done_at = now
            here.remove(chosen)


def test_forty_who_come_at_once_are_served_alike() -> None:
    class_of_forty = [page(f"pupil {number}", 0.01 * number, 2.0, "school") for number in range(40)]
    play(class_of_forty)
    waits = [each.wait_s for each in class_of_forty]
    assert max(waits) < 81
    assert max(waits) / min(waits) < 1.2


def test_a_head_never_waits_behind_a_race() -> None:
    race, head, again = page("racer", 0, 240), page("pupil", 100, 2), page("racer", 150, 2)
    play([race, head, again])
    assert head.wait_s < 2 * 4 / 3 + 3 * SLICE_S
    assert again.wait_s < 2 * 4 / 3 + 3 * SLICE_S  # who has raced is not punished with the next head


def test_a_race_is_not_starved_by_heads() -> None:
    race = page("racer", 0, 30)
    heads = [page(f"visitor {number}", number * 1.9, 2, f"address {number}") for number in range(200)]
    play([race, *heads])
    assert race.wait_s < 140


def test_more_sessions_buy_a_script_next_to_nothing() -> None:
    script = [page(f"script {number}", 0, 30, "script") for number in range(5)]
    script += [page(f"late {number}", 20 + 4 * number, 3.9, "script") for number in range(60)]
    head, race = page("visitor", 40, 3, "visitor"), page("racer", 40, 20, "racer")
    play([*script, head, race])
    assert head.wait_s < 10
    assert race.wait_s < 160


def test_what_was_left_comes_last_until_its_visitor_is_back() -> None:
    left, head, race = page("gone", 0, 30, "one"), page("pupil", 10, 2, "two"), page("racer", 10, 15, "three")
    left.left_at = 5
    play([left, head, race])
    assert head.wait_s < 3.5
    assert race.wait_s < 18
    assert left.done_at is not None
    assert left.done_at > 45


def test_pages_have_half_against_programs() -> None:
    visitor = page("visitor", 0, 30)
    programs = [program(f"program {number}", 0, 60) for number in range(10)]
    play([visitor, *programs])
    assert visitor.wait_s < 62
    lonely = program("program", 0, 10)
    play([lonely])
    assert lonely.wait_s < 10.5


def test_a_head_beside_everything_else() -> None:
    others = [page("racer", 0, 120), page("curve", 0, 20), *(program(f"program {number}", 0, 3) for number in range(3))]
    zip_s = page("zip", 0, 60)
    zip_s.work.is_long = False
    head = page("pupil", 0.1, 3)
    play([*others, zip_s, head])
    assert head.wait_s < 15


def test_copies_of_networks_are_few_and_small_work_passes_them() -> None:
    large = [page(f"deep {number}", 0, 20, is_large=True) for number in range(9)]
    head, most = page("pupil", 30, 2), list[int]()
    play(
        [*large, head], look=lambda _now, here: most.append(sum(each.work.has_begun for each in here if each in large))
    )
    assert max(most) == 4
    assert head.wait_s < 5
    assert max(each.wait_s for each in large) < 183


def test_the_wait_that_is_said_is_right_within_a_factor_of_two() -> None:
    """Of forty who come within a minute, beside races, with what is known of each kind as wrong as it is in life."""
    chance = random.Random(7)
    errands = [
        page(f"pupil {number}", chance.uniform(0, 60), chance.lognormvariate(0.9, 0.5), "school")
        for number in range(40)
    ]
    errands += [page(f"racer {number}", chance.uniform(0, 60), chance.uniform(20, 60)) for number in range(3)]
    fairness = Fairness()
    for each in errands:
        each.guess_s = each.needs_s * chance.lognormvariate(0, 0.3)

    def look(now: float, here: list[Errand]) -> None:
        needs = [max((each.guess_s or 0) - each.work.used_s, 0.2) for each in here]
        if any(each.said is None for each in here):
            times = fairness.forecast([each.work for each in here], needs, now)
            for each, seconds in zip(here, times, strict=True):
                each.said = each.said or (now, seconds)

    play(errands, fairness, look)
    right = [
        0.5 <= each.said[1] / (each.done_at - each.said[0]) <= 2 for each in errands[:40] if each.said and each.done_at
    ]
    assert sum(right) >= 36, statistics.fmean(right)
