"""How much an address may do in a time, if it is forgotten bit by bit: wrong passwords, or bytes that it sends."""

import time
from collections import OrderedDict
from collections.abc import Callable

from demo.entrance import network_of

_MAX_ADDRESSES = 10_000


class Meter:
    """What each address has done lately.

    Args:
        at_once: How much an address that has long done nothing may do at once.
        per_s: How much of it is forgotten in a second.
    """

    def __init__(self, at_once: float, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once, self._per_s, self._clock = at_once, per_s, clock
        self._free_at: OrderedDict[str, float] = OrderedDict()  # when all that an address has done is forgotten

    def wait_s(self, address: str, amount: float = 0.0) -> float:
        """Return the seconds until an address may do as much more; 0 if it may now."""
        left_s = self._free_at.get(network_of(address), 0.0) - self._clock()
        return max(0.0, left_s - (self._at_once - amount) / self._per_s)

    def count(self, address: str, amount: float = 1.0) -> None:
        """Count what an address does."""
        network = network_of(address)
        self._free_at[network] = max(self._free_at.pop(network, 0.0), self._clock()) + amount / self._per_s
        while len(self._free_at) > _MAX_ADDRESSES:
            self._free_at.popitem(last=False)
