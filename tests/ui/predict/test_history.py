"""The history: its steps in order with their sources, its networks in numbers, and links that lead somewhere."""

import re

import pytest

from demo.models.zoo import ZOO
from demo.ui.address import read_place
from demo.ui.predict.history import MILESTONES, History, draw_milestones, draw_networks
from demo.words.language import CHINESE, ENGLISH, Words
from tests.visitor import Markup, Visit, fill

LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
# Figures that the page names, as their sources have them: Krizhevsky et al. 2012, abstract; Russakovsky et al. 2015,
# table 2; He et al. 2015, abstract and section 4.1.
FIGURES = {"alexnet": ("15.3%", "26.2%"), "imagenet": ("1,000",), "resnet": ("4.1", "152"), "cells": ("1981",)}


@LANGUAGES
def test_each_step_has_its_years_a_source_and_something_to_try(words: Words) -> None:
    told = words.predict.history
    assert list(told.milestones) == list(MILESTONES)
    items = draw_milestones(words).split("<li>")[1:]
    years = [re.findall(r"<b>(\d{4})", item)[0] for item in items]
    assert years == sorted(years)
    for item, (name, step) in zip(items, MILESTONES.items(), strict=True):
        assert f"<b>{step.years}</b> {told.milestones[name]}" in item
        assert all(figure in item for figure in FIGURES.get(name, ()))
        links = [address for address in Markup(item).values("href") if address.startswith("https://")]
        assert links == list(step.sources.values())
        assert tuple(address for address in Markup(item).values("href") if address.startswith("?")) == step.ways


def test_each_way_leads_to_a_place_of_the_page() -> None:
    for way in {way for step in MILESTONES.values() for way in step.ways}:
        _, wrong = read_place(way)
        assert wrong == ()


@LANGUAGES
def test_the_cells_are_in_the_cortex_and_resnet_is_against_degradation(words: Words) -> None:
    told = words.predict.history.milestones
    cortex, degradation = ("cortex", "degradation") if words is ENGLISH else ("皮层", "退化")
    assert cortex in told["cells"]
    assert degradation in told["resnet"]


@LANGUAGES
def test_the_history_tells_every_network_in_order(words: Words) -> None:
    drawn, ideas = draw_networks(words), words.predict.history.ideas
    places = [drawn.index(f">{name}</a>") for name in ("LeNet-5", *(spec.display_name for spec in ZOO.values()))]
    assert places == sorted(places)
    assert all(idea in drawn for idea in ideas.values())
    assert set(ideas) == {"lenet5", *ZOO}
    assert [spec.year for spec in ZOO.values()] == sorted(spec.year for spec in ZOO.values())
    (lenet,) = [row for row in drawn.split("<tr>") if ">LeNet-5</a>" in row]
    assert f'<td colspan="5">{words.predict.history.from_scratch}</td>' in lenet


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        # https://docs.pytorch.org/vision/stable/models.html; the fields are those of the gradients of single cells
        ("ResNet-50", ["25.6", "4.1", "76.1%", "98", "4 / 35 · 16 / 267 · 32 / 427"]),
        ("Inception v3", ["23.8", "5.7", "77.3%", "104", "4 / 23 · 16 / 927 · 32 / 1311"]),
    ],
)
def test_the_history_gives_each_network_its_numbers(name: str, cells: list[str]) -> None:
    (row,) = [row for row in draw_networks(ENGLISH).split("<tr>") if f">{name}</a>" in row]
    assert re.findall(r"<td>([^<]*)</td>", row)[-5:] == cells


def test_the_history_is_drawn_when_it_is_opened(visit: Visit) -> None:
    history = fill(History, visit().call("show_history"))
    assert history == History(draw_milestones(ENGLISH), draw_networks(ENGLISH))
