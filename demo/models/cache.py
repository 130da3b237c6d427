"""The process-wide copies of the loaded backbones, within one memory budget."""

import gc
import threading
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from demo.models.backbone import Backbone, load_backbone
from demo.models.engine.client import Engine
from demo.models.plan import guess_plan
from demo.models.possible import choose_device
from demo.models.zoo import BackboneSpec, find_spec
from demo.system import give_back_free_memory, num_cores

# float32 in the network itself, and at most one copy for single pictures and one for batches.
BYTES_PER_PARAMETER = 4 + 8


class BackboneCache:
    """One copy of each backbone, whatever the number of visitors; the least recently used is dropped first."""

    def __init__(
        self,
        device: str = "cpu",
        *,
        precision: str = "float32",
        features_precision: str = "float32",
        budget_bytes: int = 2_000_000_000,
        needed: Callable[[], Collection[str]] = tuple,
        engine: Engine | None = None,
    ) -> None:
        """Begin with no backbone.

        Args:
            device: Device that computes; "auto" is the one that is there.
            precision: Type of the numbers that answers are computed with: "float32" or "bfloat16".
            features_precision: Likewise for features that heads learn from.
            budget_bytes: Limit on the bytes that the parameters of all backbones take together.
            needed: Returns the names of the backbones that visitors' heads belong to; they are dropped last.
            engine: Another machine that computes for all of them.
        """
        self.engine = engine
        self.device = choose_device(device)
        self._precisions = {"precision": precision, "features_precision": features_precision}
        self._budget_bytes = budget_bytes
        self._needed = needed
        self._loaded: OrderedDict[str, Backbone] = OrderedDict()  # the least recently used first
        self._reserved_bytes: dict[str, int] = {}
        self._borrowers: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._measures = False
        self._loading: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the loaded backbones, the least recently used first."""
        with self._lock:
            return tuple(self._loaded)

    def begin_measuring(self) -> None:
        """Measure how the backbones that are loaded are best asked, and from now on each one when it is loaded."""
        self._measures = True
        for name in self.names:
            with self.lend(name) as backbone:
                backbone.measure()

    def picture_s(self, name: str) -> float:
        """Return how many seconds each of many pictures takes in one thread, by a guess where that was not measured."""
        with self._lock:
            backbone = self._loaded.get(name)
        plan = backbone.plan if backbone else guess_plan(find_spec(name).facts.gflops, num_cores())
        return plan.picture_s

    @contextmanager
    def lend(self, name: str) -> Iterator[Backbone]:
        """Lend a backbone, loaded first if it is not there; it stays loaded at least until the context ends.

        Raises:
            UnknownBackbone: If the zoo has no such backbone.
            WeightsError: If its weights are missing or damaged.
        """
        spec = find_spec(name)
        with self._lock:
            self._borrowers[name] += 1
        try:
            yield self._find(spec)
        finally:
            with self._lock:
                self._borrowers[name] -= 1

    def _find(self, spec: BackboneSpec) -> Backbone:
        with self._loading[spec.name]:  # other callers of the same backbone wait here
            if spec.name not in self._loaded:
                self._load(spec)
            with self._lock:
                self._loaded.move_to_end(spec.name)
                return self._loaded[spec.name]

    def _load(self, spec: BackboneSpec) -> None:
        with self._lock:
            left = self._make_room(BYTES_PER_PARAMETER * spec.facts.num_parameters)
            self._reserved_bytes[spec.name] = BYTES_PER_PARAMETER * spec.facts.num_parameters
        if left:
            gc.unfreeze()  # a traced network is in reference cycles, and may be among what collections leave out
            give_back_memory()
        try:
            backbone = load_backbone(spec, self.device, engine=self.engine, **self._precisions)
            if self._measures:
                backbone.measure()
        except BaseException:
            with self._lock:
                del self._reserved_bytes[spec.name]
            raise
        finally:
            give_back_memory()
        with self._lock:
            self._loaded[spec.name] = backbone

    def _make_room(self, num_bytes: int) -> list[str]:
        """Drop unused backbones until the budget holds, those that no head needs first; return their names."""
        idle = [name for name in self._loaded if not self._borrowers[name]]
        needed = set(self._needed())
        leaving = []
        for name in sorted(idle, key=lambda each: each in needed):  # a stable sort keeps the least recently used first
            if sum(self._reserved_bytes.values()) + num_bytes <= self._budget_bytes:
                break
            del self._loaded[name], self._reserved_bytes[name]
            leaving.append(name)
        return leaving


def give_back_memory() -> None:
    """Give memory that is no longer used, a dropped network's or a hole that a picture left, back to the system."""
    gc.collect()  # traced networks, errors and streams are in reference cycles
    give_back_free_memory()
