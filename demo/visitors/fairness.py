"""Whose turn it is: a pure account of what everybody has used lately, without threads and without a clock of its own.

Work comes in slices, and after each the next one is chosen. What was left by its visitor comes last. Pages have at
least half against programs. Quick work comes before long work, which keeps a quarter. Among the rest, the address that
has used least lately for its weight is next, and of its sessions the one that has. The weight is the root of the number
of sessions: a class of forty behind one address counts for six, and so does a script that opens forty pages.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

HALF_LIFE_S = 60.0  # after which a second that was used counts half
SLICE_S = 0.3  # the shortest turn: to change hands takes less than a thousandth of it
_QUICK_S = 8.0  # work that has taken less may be quick: a head on few pictures takes two seconds, on slow cores six
_QUICK_ALLOWANCE_S = 30.0  # what an owner may have used lately of being quick
_QUICK_PART = 0.75
_GROUP_S = 5.0  # a class presses the same button within so many seconds
_PAGES_PART = 0.5
_WAITED_COUNTS = 0.25  # seconds of use that a second of waiting makes up for, so that nobody starves
_MAX_BEGUN = 48  # works in the middle at once
_MAX_LARGE = 4  # of those that hold a copy of a network, and all pictures as its inputs on disk: a gigabyte each
_FORECAST_STEPS = 120
_USED_LATELY_S, _LOOK_EVERY_S = 0.5, 2.0  # of a session that counts for the weight of its address, and when it does
_MAX_NAMES, _FORGOTTEN_S = 1000, 0.01  # of an account, and what counts too little to be kept then


@dataclass(frozen=True)
class Owner:
    """Whose work it is: a session's token, and the address that it, or a program, came from."""

    session: str = ""
    address: str = ""
    is_program: bool = False


@dataclass(eq=False)
class Work:
    """One piece of work: when it came (seconds), what it has used, since when it waits, and whether it was left.

    `left_s` is None while somebody waits for it. What `is_long` is known to take more than some seconds. `group` is
    when the first of those came with whom it shares its turns as long as it is quick.
    """

    owner: Owner
    came: float
    is_long: bool = False
    is_large: bool = False
    has_begun: bool = False
    used_s: float = 0.0
    since: float = field(default=-1.0)
    left_s: float | None = None
    group: float | None = None

    def __post_init__(self) -> None:
        if self.since < 0:
            self.since = self.came


class Account:
    """Seconds by name, which count half after each half-life."""

    def __init__(self, used: Mapping[Hashable, tuple[float, float]] | None = None) -> None:
        self._used = dict(used or {})  # the seconds, and when they were counted
        self._lately: set[Owner] = set()  # the sessions that have used something lately
        self._looked = float("-inf")

    def charge(self, name: Hashable, seconds: float, now: float) -> None:
        """Add to what a name has used."""
        self._used[name] = (self.of(name, now) + seconds, now)
        if len(self._used) > _MAX_NAMES:
            self._used = {each: kept for each, kept in self._used.items() if self.of(each, now) > _FORGOTTEN_S}

    def of(self, name: Hashable, now: float) -> float:
        """Return what a name has used lately."""
        used, counted = self._used.get(name, (0.0, now))
        return used * 0.5 ** ((now - counted) / HALF_LIFE_S) if used else 0.0

    def weigh(self, works: Iterable[Work], now: float) -> dict[str, float]:
        """Return the weight of each address: the root of the number of sessions that use something, or have lately."""
        if not 0 <= now - self._looked < _LOOK_EVERY_S:
            self._looked = now
            owners = [each for each in self._used if isinstance(each, Owner)]
            self._lately = {each for each in owners if self.of(each, now) > _USED_LATELY_S}
        sessions = Counter(each.address for each in self._lately | {each.owner for each in works})
        return {address: number**0.5 for address, number in sessions.items()}

    def copy(self) -> "Account":
        """Return one that goes its own way."""
        return Account(self._used)


class Fairness:
    """Chooses whose turn it is, and keeps the account. `now` is any clock in seconds that never goes back."""

    def __init__(self, account: Account | None = None, groups: Mapping[str, float] | None = None) -> None:
        self._account = account or Account()
        self._groups = dict(groups or {})  # when the first of the last group of each address came
        self._sides: set[str] = set()  # what the last choice was between, of which each keeps a part
        self._quick: set[Work] = set()  # what was quick then

    def choose(self, works: Sequence[Work], now: float) -> Work | None:
        """Return the work whose turn it is; None where there is none that may run."""
        may_run = _may_run(works)
        if not may_run:
            return None
        self._sides = set()
        weights = self._account.weigh(works, now)
        self._quick = {each for each in works if self._is_quick(each, weights, now)}
        self._join_groups()
        chosen = [each for each in may_run if each.left_s is None] or may_run
        chosen = self._prefer_quick(self._keep_half_for_pages(chosen, now), now)
        by_address: dict[str, list[Work]] = {}
        for each in chosen:
            by_address.setdefault(each.owner.address, []).append(each)
        address = min(by_address, key=lambda each: self._rank(each, by_address[each], weights, now))
        return min(by_address[address], key=lambda each: self._rank_within(each, now))

    def charge(self, work: Work, seconds: float, now: float) -> None:
        """Count the turn of the work that was chosen last."""
        owner, side = work.owner, "programs" if work.owner.is_program else "pages"
        pace = "quick" if work in self._quick else "long"
        names = [owner, owner.address, *self._sides & {side, pace}]
        if pace == "quick":
            names += [("quick", owner), ("quick", owner.address)]
        for name in names:
            self._account.charge(name, seconds, now)
        work.used_s += seconds
        work.since = now

    def forecast(self, works: Sequence[Work], needs: Sequence[float], now: float) -> list[float]:
        """Return in how many seconds each work will be done if nobody else comes.

        Args:
            works: All that wait or run; left unchanged.
            needs: The seconds that each still needs for itself.
            now: The time.
        """
        ahead, start = Fairness(self._account.copy(), self._groups), now
        left = {idx: max(need, 0.01) for idx, need in enumerate(needs)}
        copies = [replace(each) for each in works]
        numbers = {id(copied): idx for idx, copied in enumerate(copies)}
        step, done = max(SLICE_S, sum(left.values()) / _FORECAST_STEPS), [0.0] * len(copies)
        while left:
            work = ahead.choose([copies[idx] for idx in left], now)
            if work is None:
                break
            idx = numbers[id(work)]
            seconds = min(step, left[idx])
            work.has_begun = True
            now += seconds
            ahead.charge(work, seconds, now)
            left[idx] -= seconds
            if left[idx] <= 0:
                done[idx] = now - start
                del left[idx]
        return done

    def _keep_half_for_pages(self, works: list[Work], now: float) -> list[Work]:
        pages = [each for each in works if not each.owner.is_program]
        if len(pages) in (0, len(works)):
            return works
        self._sides |= {"pages", "programs"}
        pages_s, programs_s = (self._account.of(side, now) for side in ("pages", "programs"))
        return pages if pages_s * (1 - _PAGES_PART) <= programs_s * _PAGES_PART else works

    def _prefer_quick(self, works: list[Work], now: float) -> list[Work]:
        quick = [each for each in works if each in self._quick]
        if len(quick) in (0, len(works)):
            return works
        self._sides |= {"quick", "long"}
        quick_s, long_s = (self._account.of(side, now) for side in ("quick", "long"))
        is_theirs = quick_s * (1 - _QUICK_PART) <= long_s * _QUICK_PART
        return quick if is_theirs else [each for each in works if each not in self._quick]

    def _is_quick(self, work: Work, weights: Mapping[str, float], now: float) -> bool:
        if work.is_long or work.owner.is_program or work.used_s >= _QUICK_S:
            return False
        mine, all_here = (self._account.of(("quick", name), now) for name in (work.owner, work.owner.address))
        return max(mine, all_here / weights[work.owner.address]) <= _QUICK_ALLOWANCE_S

    def _join_groups(self) -> None:
        """Let quick work share its turns with what came from the same address in the same few seconds.

        Who comes later waits for them, so that the wait that was said before stays right.
        """
        for each in sorted(self._quick, key=lambda each: each.came):
            if each.group is None:
                first = self._groups.get(each.owner.address, float("-inf"))
                each.group = first if each.came - first <= _GROUP_S else each.came
                self._groups[each.owner.address] = each.group

    def _rank(self, address: str, works: list[Work], weights: Mapping[str, float], now: float) -> tuple[float, float]:
        """Return by what addresses are compared: the smallest is next."""
        waited_s = min(now - each.since for each in works)
        return (
            self._account.of(address, now) / weights[address] - _WAITED_COUNTS * waited_s,
            min(each.came for each in works),
        )

    def _rank_within(self, work: Work, now: float) -> tuple[float, float, float]:
        """Return by what the works of an address are compared."""
        group = work.group if work.group is not None and work in self._quick else 0.0
        return (group, self._account.of(work.owner, now) - _WAITED_COUNTS * (now - work.since), work.came)


def _may_run(works: Sequence[Work]) -> list[Work]:
    """Return the works that have begun, and those that may: what is in the middle takes memory."""
    num_begun = sum(each.has_begun for each in works)
    num_large = sum(each.has_begun and each.is_large for each in works)
    may_begin = num_begun < _MAX_BEGUN
    return [
        each
        for each in works
        if each.has_begun or (may_begin and (not each.is_large or num_large < _MAX_LARGE)) or not num_begun
    ]
