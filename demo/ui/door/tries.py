"""How many wrong passwords an address may send."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

_AT_ONCE = 20  # a class behind one address may mistype so often
_EVERY_S = 3.0  # after which one more is allowed
_MAX_ADDRESSES = 10_000


class Tries:
    """The wrong passwords of each address, which are forgotten one by one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free_at: OrderedDict[str, float] = OrderedDict()  # when all wrong tries of an address are forgotten

    def wait_s(self, address: str) -> float:
        """Return the seconds until an address may try again; 0 if it may now."""
        left_s = self._free_at.get(_network_of(address), 0.0) - self._clock()
        return max(0.0, left_s - (_AT_ONCE - 1) * _EVERY_S)

    def count(self, address: str) -> None:
        """Count a wrong password."""
        network = _network_of(address)
        self._free_at[network] = max(self._free_at.pop(network, 0.0), self._clock()) + _EVERY_S
        while len(self._free_at) > _MAX_ADDRESSES:
            self._free_at.popitem(last=False)


def _network_of(address: str) -> str:
    """Return whose an address is: of IPv6 each customer has a network of 64 bits."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return address
