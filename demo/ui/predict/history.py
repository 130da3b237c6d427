"""The history in tab 1: its milestones with their sources and what to try, and the networks that can be used here."""

from typing import Any, NamedTuple

import gradio as gr

from demo.models.zoo import LENET5, ZOO, BackboneSpec
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_link, draw_way, draw_wide
from demo.ui.predict.network import NetworkChoice, wire_choice
from demo.ui.predict.sureness import build_sureness
from demo.visitors.rooms import Rooms
from demo.words.language import Words


class Milestone(NamedTuple):
    """A step of the history: its years, its sources, and the panels on which to try it."""

    years: str
    sources: dict[str, str]
    ways: tuple[str, ...]


_NEURON, _DEPTH, _BLOCKS = "?tab=inside&panel=neuron", "?tab=inside&panel=depth", "?tab=inside&panel=blocks"
MILESTONES = {
    "neuron": Milestone("1943", {"McCulloch & Pitts 1943": "https://doi.org/10.1007/BF02478259"}, (_NEURON,)),
    "cells": Milestone(
        "1959, 1962",
        {
            "Hubel & Wiesel 1959": "https://doi.org/10.1113/jphysiol.1959.sp006308",
            "Hubel & Wiesel 1962": "https://doi.org/10.1113/jphysiol.1962.sp006837",
            "Nobel 1981": "https://www.nobelprize.org/prizes/medicine/1981/summary/",
        },
        (_NEURON,),
    ),
    "neocognitron": Milestone("1980", {"Fukushima 1980": "https://doi.org/10.1007/BF00344251"}, (_NEURON,)),
    "lenet": Milestone(
        "1989, 1998",
        {"LeCun et al. 1989": "https://doi.org/10.1162/neco.1989.1.4.541", "LeCun et al. 1998": LENET5.paper},
        ("?tab=finetune&panel=pictures",),
    ),
    "imagenet": Milestone(
        "2009, 2010",
        {
            "Deng et al. 2009": "https://doi.org/10.1109/CVPR.2009.5206848",
            "Russakovsky et al. 2015": "https://arxiv.org/abs/1409.0575",
        },
        ("?tab=inside&panel=class-maps",),
    ),
    "alexnet": Milestone("2012", {"Krizhevsky et al. 2012": ZOO["alexnet"].paper}, ("?tab=finetune&panel=train",)),
    "inception": Milestone("2014", {"Szegedy et al. 2014": ZOO["googlenet"].paper}, (_BLOCKS,)),
    "resnet": Milestone("2015", {"He et al. 2015": ZOO["resnet50"].paper}, (_DEPTH, "?tab=inside&panel=residual")),
    "densenet": Milestone("2016", {"Huang et al. 2016": ZOO["densenet121"].paper}, (_BLOCKS,)),
}


class History(NamedTuple):
    """What the fold holds once it was opened: the milestones, and the networks in numbers."""

    milestones: Any
    facts: Any


@costs(Cost.LIGHT)
def show_history(rooms: Rooms) -> History:
    """Draw the history, which the page need not bring along before it is opened."""
    return History(draw_milestones(rooms.words), draw_networks(rooms.words))


def draw_milestones(words: Words) -> str:
    """Return the history as a list, the oldest first; each step has its sources and a way to try it."""
    told = words.predict.history
    items = "".join(
        f"<li><b>{each.years}</b> {told.milestones[name]} "
        f"({', '.join(draw_link(*source) for source in each.sources.items())}) "
        f"{' '.join(draw_way(way, told.tries[_panel(way)]) for way in each.ways)}</li>"
        for name, each in MILESTONES.items()
    )
    return f'<ol class="milestones">{items}</ol>'


def draw_networks(words: Words) -> str:
    """Return the networks in numbers as an HTML table, the oldest first."""
    told = words.predict.history
    header = "".join(f"<th>{title}</th>" for title in told.facts.values())
    lenet = (LENET5.year, draw_link(LENET5.display_name, LENET5.paper), told.ideas[LENET5.name])
    rest = f'<td colspan="{len(told.facts) - len(lenet)}">{told.from_scratch}</td>'
    rows = [f"<tr>{_cells(lenet)}{rest}</tr>"]
    rows += [f"<tr>{_cells(_facts(words, spec))}</tr>" for spec in ZOO.values()]
    table = f'<table class="history"><thead><tr>{header}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return draw_wide(table, told.networks)


def build_history(rooms: Rooms, choice: NetworkChoice) -> None:
    """Lay out the history, with its networks, each of which can be chosen there too."""
    words = rooms.words.predict.history
    with gr.Accordion(words.title, open=False, elem_id="history") as fold:
        gr.HTML(f'<p class="hint">{words.help}</p>', padding=False)
        milestones = gr.HTML("", padding=False, elem_id="milestones")
        gr.HTML(f'<h3>{words.networks}</h3><p class="hint">{words.networks_help}</p>', padding=False)
        with gr.Row(elem_id="timeline"):
            for spec in ZOO.values():
                label = f"{spec.year} · {spec.display_name}"
                use = gr.Button(label, size="sm", min_width=0, elem_id=f"use-{spec.name}")
                wire_choice(rooms, use.click, choice, gr.State(spec.name))
        build_sureness(rooms, choice.ref)
        facts = gr.HTML("", padding=False, elem_id="networks-in-numbers")
    listen(rooms, fold.expand, show_history, None, History(milestones, facts))


def _facts(words: Words, spec: BackboneSpec) -> list[object]:
    facts = spec.facts
    fields = " · ".join(f"{stage.stride} / {stage.receptive_field_px}" for stage in spec.stages)
    return [
        spec.year,
        draw_link(spec.display_name, spec.paper),
        words.predict.history.ideas[spec.name],
        f"{facts.num_parameters / 1e6:.1f}",
        f"{facts.gflops:.1f}",
        f"{100 * facts.top1:.1f}%",
        f"{facts.file_megabytes:.0f}",
        fields,
    ]


def _cells(cells: list[object] | tuple[object, ...]) -> str:
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _panel(way: str) -> str:
    return way.rsplit("=", 1)[-1]
