"""The twelve steps of the guided lesson, in the order of its story: each a question, a place of the page, an answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from demo.lesson import learning, seeing
from demo.lesson.found import Found
from demo.models.backbone import Backbone
from demo.models.zoo import EMBEDDED
from demo.settings import Settings


class Source(NamedTuple):
    """Where a step's claim is from."""

    name: str
    url: str


@dataclass(frozen=True)
class Step:
    """One step of the lesson; what it says stands under its name in the words of each language.

    Attributes:
        name: Key of its words.
        place: The place of the page where it can be seen, as the query of an address.
        right: Index of the answer that its numbers have shown whenever they were measured, among the words' options.
        measure: Returns its numbers, by the embedded network; they are nobody's data.
        minutes: How long it takes in class.
        sources: Publications.
        trains: Whether `measure` trains, which takes seconds on all cores.
    """

    name: str
    place: str
    right: int
    measure: Callable[[Backbone, Settings], Found]
    minutes: int
    sources: tuple[Source, ...]
    trains: bool = False

    @property
    def takes_set(self) -> bool:
        """Whether its place takes a starter set, and so the place of a visitor's own pictures."""
        return "set=" in self.place

    @property
    def number(self) -> int:
        """Its number in the lesson, from 1."""
        return STEPS.index(self) + 1


_HE = Source("He et al. 2015", "https://arxiv.org/abs/1512.03385")


def _inside(panel: str, example: str) -> str:
    return f"tab=inside&panel={panel}&example={example}&network={EMBEDDED}"


STEPS = (
    Step(
        "speak",
        f"tab=predict&example=astronaut&network={EMBEDDED}",
        right=1,
        measure=seeing.measure_words,
        minutes=2,
        sources=(Source("Deng et al. 2009", "https://doi.org/10.1109/CVPR.2009.5206848"),),
    ),
    Step(
        "edge",
        _inside("neuron", "coffee"),
        right=2,
        measure=seeing.measure_edge,
        minutes=4,
        sources=(Source("Hubel & Wiesel 1959", "https://doi.org/10.1113/jphysiol.1959.sp006308"),),
    ),
    Step(
        "shift",
        _inside("neuron", "coffee"),
        right=1,
        measure=seeing.measure_shift,
        minutes=3,
        sources=(
            Source("Hubel & Wiesel 1962", "https://doi.org/10.1113/jphysiol.1962.sp006837"),
            Source("Fukushima 1980", "https://doi.org/10.1007/BF00344251"),
        ),
    ),
    Step(
        "move",
        _inside("moves", "cat"),
        right=1,
        measure=seeing.measure_moves,
        minutes=3,
        sources=(
            Source("Lenc & Vedaldi 2015", "https://arxiv.org/abs/1411.5908"),
            Source("Zhang 2019", "https://arxiv.org/abs/1904.11486"),
        ),
    ),
    Step(
        "stages",
        _inside("ladder", "cat"),
        right=2,
        measure=seeing.measure_stages,
        minutes=4,
        sources=(Source("Zeiler & Fergus 2014", "https://arxiv.org/abs/1311.2901"),),
    ),
    Step(
        "heatmap",
        _inside("erase", "coffee"),
        right=1,
        measure=seeing.measure_heatmaps,
        minutes=4,
        sources=(
            Source("Petsiuk et al. 2018", "https://arxiv.org/abs/1806.07421"),
            Source("Adebayo et al. 2018", "https://arxiv.org/abs/1810.03292"),
        ),
    ),
    Step(
        "depth",
        _inside("depth", "coffee"),
        right=2,
        measure=learning.measure_depth,
        minutes=4,
        sources=(_HE,),
        trains=True,
    ),
    Step(
        "shortcut",
        _inside("residual", "coffee"),
        right=1,
        measure=seeing.measure_shortcut,
        minutes=5,
        sources=(Source("Veit et al. 2016", "https://arxiv.org/abs/1605.06431"), _HE),
    ),
    Step(
        "pretrained",
        f"tab=finetune&panel=experiments&set=shapes&network={EMBEDDED}",
        right=2,
        measure=learning.measure_race,
        minutes=5,
        sources=(
            Source("Yosinski et al. 2014", "https://arxiv.org/abs/1411.1792"),
            Source("Kornblith et al. 2019", "https://arxiv.org/abs/1805.08974"),
        ),
        trains=True,
    ),
    Step(
        "layers",
        f"tab=finetune&panel=experiments&set=shapes&network={EMBEDDED}",
        right=2,
        measure=learning.measure_layers,
        minutes=4,
        sources=(Source("Zhang et al. 2017", "https://arxiv.org/abs/1611.03530"),),
        trains=True,
    ),
    Step(
        "learned",
        f"tab=finetune&panel=train&set=meadow&network={EMBEDDED}",
        right=2,
        measure=learning.measure_instead,
        minutes=4,
        sources=(Source("Geirhos et al. 2020", "https://arxiv.org/abs/2004.07780"),),
        trains=True,
    ),
    Step(
        "customers",
        f"tab=predict&panel=closing&network={EMBEDDED}",
        right=2,
        measure=learning.measure_customers,
        minutes=3,
        sources=(Source("Bommasani et al. 2021", "https://arxiv.org/abs/2108.07258"),),
        trains=True,
    ),
)
