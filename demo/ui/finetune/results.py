"""What a trained head gets right and wrong, which pictures those are, and how far its word can be trusted."""

import re
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.data.dataset import Split, read_sample
from demo.data.duplicates import group
from demo.errors import OptionOutOfRange, check_range
from demo.figures import draw_overlay, scatter_points
from demo.tasks.cam import map_classes
from demo.tasks.evaluate import Scores, most_confused, nearest, per_class, top
from demo.tasks.novelty import NoveltyReport, report_novelty
from demo.tasks.projection import project
from demo.ui.finetune.results_markup import (
    draw_cell,
    draw_classes,
    draw_confusion,
    draw_detail,
    draw_headline,
    draw_novelty,
    draw_origin,
    draw_reliability,
    draw_temperature,
)
from demo.ui.finetune.trials.swap import build_swap, draw_offer
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.chart import colours, draw_legend
from demo.ui.parts.markup import PICK_SCRIPT
from demo.ui.parts.outputs import unchanged
from demo.ui.parts.values import read_event
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session, Trained
from demo.words.finetune import ResultsWords

_ACCEPTED_SHARE = 0.95
_OVERLAY_PX = 224
_PICK = re.compile(r"\d{1,9}(,\d{1,9})?", re.ASCII)


class Points(NamedTuple):
    """The features in two dimensions, and the legend of their classes."""

    plot: Any
    legend: Any


class ResultsPanel(NamedTuple):
    """The panel: components when it is built, their values when it is filled."""

    number: Any  # of the training whose results are on the page, or -1
    whole: Any
    headline: Any
    split: Any
    confusion: Any
    cell: Any
    detail: Any
    classes: Any
    reliability: Any
    temperature: Any
    points: Points
    novelty: Any
    swap: Any


class CellPanel(NamedTuple):
    """The pictures of one cell of the confusion matrix, and what the head says of one of them."""

    cell: Any
    detail: Any


def choose_split(trained: Trained, split: str) -> Split | None:
    """Return the split to show: the one asked for if it has samples, else test, else validation, else none."""
    there = trained.held_out
    return Split(split) if split in there else next(iter(there), None)


@costs(Cost.COMPUTE)
def show_results(rooms: Rooms, ref: Ref, split: str, number: int) -> ResultsPanel:
    """Fill the panel for the head in use, unless the page has its results (those of training `number`) already."""
    trained = rooms.sessions.find(ref).results
    if number == (trained.number if trained else -1):
        return unchanged(ResultsPanel)
    return _fill(rooms, trained, split)


@costs(Cost.COMPUTE)
def change_split(rooms: Rooms, ref: Ref, split: str) -> ResultsPanel:
    """Show the results of another split."""
    return _fill(rooms, rooms.sessions.find(ref).results, split)


@costs(Cost.COMPUTE)
def show_cell(rooms: Rooms, ref: Ref, split: str, event: gr.EventData) -> CellPanel:
    """Show the pictures of a cell of the confusion matrix that was clicked."""
    trained, scores = _find_scores(rooms, ref, split)
    if trained is None or scores is None:
        return unchanged(CellPanel)
    truth, answer = _parse_pick(event, len(scores.class_names), len(scores.class_names))
    return CellPanel(draw_cell(rooms.words, trained, scores, truth, answer), "")


@costs(Cost.COMPUTE)
def show_picture(rooms: Rooms, ref: Ref, split: str, event: gr.EventData) -> Any:
    """Show what speaks for the right and the wrong class of a picture that was clicked, and what is alike."""
    trained, scores = _find_scores(rooms, ref, split)
    if trained is None or scores is None:
        return gr.skip()
    (position,) = _parse_pick(event, len(scores.class_idxs))
    seen, overlays = _map_classes(rooms, trained, scores, position)
    alike = nearest(scores, trained.score(Split.TRAIN), position)
    return draw_detail(rooms.words, trained, scores, position, seen=seen, overlays=overlays, alike=alike)


@costs(Cost.COMPUTE)
def show_temperature(rooms: Rooms, ref: Ref) -> str:
    """Say which temperature suits the head, and what it does to pictures by which nothing was chosen."""
    trained = rooms.sessions.find(ref).results
    return draw_temperature(rooms.words, trained.calibration) if trained else ""


@costs(Cost.COMPUTE)
def show_novelty(rooms: Rooms, ref: Ref, percent: float) -> str:
    """Say which pictures a "none of these" threshold accepts, strangers of both kinds among them."""
    session = rooms.sessions.find(ref)
    trained = session.results
    if trained is None:
        return ""
    check_range("share", percent, 1, 100)
    report = _report_novelty(rooms, session, trained, share=percent / 100)
    return draw_novelty(rooms.words, report, trained.features.class_names) if report else ""


def build_results(rooms: Rooms, ref: gr.State, model: gr.State) -> None:
    """Lay out the panel and wire it.

    Args:
        rooms: What its handlers are given.
        ref: The visitor's session.
        model: The number of the session's model state; the results follow it.
    """
    words = rooms.words.finetune.results
    with gr.Column(visible=False, elem_id="results") as whole:
        number = gr.State(-1)
        headline = gr.HTML("", padding=False, elem_id="results-headline")
        swap = build_swap(rooms, ref)
        split = _build_split(rooms)
        with gr.Row():
            with gr.Column(min_width=300):
                confusion = gr.HTML("", padding=False, js_on_load=PICK_SCRIPT, elem_id="confusion")
                cell = gr.HTML("", padding=False, js_on_load=PICK_SCRIPT, elem_id="cell")
            with gr.Column(min_width=300):
                detail = gr.HTML("", padding=False, elem_id="picture-detail")
        with gr.Accordion(words.classes_title, open=False):
            classes = gr.HTML("", padding=False, elem_id="class-results")
        with gr.Accordion(words.reliability_title, open=False):
            gr.HTML(f'<p class="help">{words.reliability_help}</p>', padding=False)
            reliability = gr.HTML("", padding=False, elem_id="reliability")
            fit = gr.Button(words.temperature_fit, size="sm", elem_id="fit-temperature")
            temperature = gr.HTML("", padding=False, elem_id="temperature")
        novelty = _build_novelty(rooms, ref)
        points = _build_points(words)
    panel = ResultsPanel(
        number,
        whole,
        headline,
        split,
        confusion,
        cell,
        detail,
        classes,
        reliability,
        temperature,
        points,
        novelty,
        swap,
    )
    listen(rooms, model.change, show_results, [ref, split, number], panel, show_progress="hidden")
    listen(rooms, split.input, change_split, [ref, split], panel, show_progress="hidden")
    listen(
        rooms, confusion.click, show_cell, [ref, split], CellPanel(cell, detail), show_progress="hidden", reveals=cell
    )
    listen(rooms, cell.click, show_picture, [ref, split], detail, reveals=detail)
    listen(rooms, fit.click, show_temperature, ref, temperature, reveals=temperature)


def _build_split(rooms: Rooms) -> gr.Radio:
    words = rooms.words.finetune
    return gr.Radio(
        [(words.split_names[each], each.value) for each in (Split.TEST, Split.VALIDATION)],
        label=words.results.split,
        value=Split.TEST.value,
        interactive=True,
        visible=False,
        elem_id="results-split",
    )


def _build_novelty(rooms: Rooms, ref: gr.State) -> gr.HTML:
    words = rooms.words.finetune.results
    with gr.Accordion(words.novelty_title, open=False) as accordion:
        gr.HTML(f'<p class="help">{words.novelty_help}</p>', padding=False)
        share = gr.Slider(50, 100, value=100 * _ACCEPTED_SHARE, step=1, label=words.novelty_share, elem_id="share")
        novelty = gr.HTML("", padding=False, elem_id="novelty")
    listen(rooms, [accordion.expand, share.release], show_novelty, [ref, share], novelty)
    return novelty


def _build_points(words: ResultsWords) -> Points:
    with gr.Accordion(words.projection_title, open=False):
        gr.HTML(f'<p class="help">{words.projection_help}</p>', padding=False)
        return Points(
            gr.ScatterPlot(
                x="x",
                y="y",
                color="class",
                x_title=" ",
                y_title=" ",
                colors_in_legend=[],
                height=320,
                elem_id="projection",
            ),
            gr.HTML("", padding=False),
        )


def _fill(rooms: Rooms, trained: Trained | None, split: str) -> ResultsPanel:
    """Return what the panel says of a head, or hide it where there is none or none of its pictures was held out."""
    words, chosen = rooms.words, choose_split(trained, split) if trained else None
    number = trained.number if trained else -1
    if trained is None or chosen is None:
        hidden = unchanged(ResultsPanel)._replace(number=number, whole=gr.Column(visible=False))
        empty = dict.fromkeys(("headline", "confusion", "cell", "detail", "classes", "reliability", "temperature"), "")
        return hidden._replace(**empty, novelty="", swap="", points=Points(None, ""))
    scores = trained.score(chosen)
    names = [scores.class_names[idx] for idx in scores.class_idxs]
    return ResultsPanel(
        number=number,
        whole=gr.Column(visible=True),
        headline=draw_headline(words, scores, chosen) + draw_origin(words, trained, chosen),
        split=gr.Radio(visible=len(trained.held_out) > 1, value=chosen.value),
        confusion=draw_confusion(words, scores),
        cell=draw_cell(words, trained, scores, *most_confused(scores)),
        detail=f'<p class="hint">{words.finetune.results.detail_hint}</p>',
        classes=draw_classes(words, per_class(scores)),
        reliability=draw_reliability(words, scores),
        temperature="",
        points=Points(
            gr.ScatterPlot(
                value=scatter_points(names, project(scores.features).points), color_map=colours(scores.class_names)
            ),
            draw_legend(scores.class_names, points=True),
        ),
        novelty=f'<p class="hint">{words.finetune.results.novelty_hint}</p>',
        swap=draw_offer(words, trained),
    )


def _find_scores(rooms: Rooms, ref: Ref, split: str) -> tuple[Trained | None, Scores | None]:
    """Return the head in use with what it says of the split on the page, or None where there are no results."""
    trained = rooms.sessions.find(ref).results
    chosen = choose_split(trained, split) if trained else None
    return trained, trained.score(chosen) if trained and chosen else None


def _map_classes(
    rooms: Rooms, trained: Trained, scores: Scores, position: int
) -> tuple[Image.Image, list[tuple[int, Image.Image]]]:
    """Return a picture as the network sees it, and under maps of what speaks for two classes.

    They are the head's first answer and the truth; where these are the same, its second answer.
    """
    best, truth = top(scores, position), int(scores.class_idxs[position])
    class_idxs = [best[0].class_idx, truth if best[0].class_idx != truth else best[1].class_idx]
    picture = read_sample(trained.dataset.samples[int(scores.sample_idxs[position])], rooms.settings)
    with rooms.backbones.lend(trained.head.backbone_name) as shared:
        backbone = shared.for_head(trained.head)
        maps = map_classes(backbone, picture, class_idxs, head=trained.head)
        network_input = backbone.draw_input(picture)
    overlays = [draw_overlay(each, network_input, side_px=_OVERLAY_PX) for each in maps]
    return network_input, list(zip(class_idxs, overlays, strict=True))


def _report_novelty(rooms: Rooms, session: Session, trained: Trained, *, share: float) -> NoveltyReport | None:
    """Judge test pictures, examples, classes left out and the photograph; None without validation pictures."""
    if Split.VALIDATION not in trained.held_out:
        return None
    photo = None if session.photos.example else session.photos.photo  # examples are judged anyway
    with rooms.backbones.lend(trained.head.backbone_name) as shared:
        backbone = shared.for_head(trained.head)
        examples = rooms.exhibits.features(backbone, rooms.settings)
        asked = backbone.run([photo]).features.numpy() if photo else None
    groups = group([sample.picture.fingerprint for sample in trained.dataset.samples])
    is_tuned = bool(trained.head.tuned)
    return report_novelty(trained.features, groups, examples, asked, share=share, is_tuned=is_tuned)


def _parse_pick(event: gr.EventData, *limits: int) -> list[int]:
    """Return the numbers of a click, each from 0 to below its limit; whoever calls by hand may send anything."""
    pick = read_event(event, "pick")
    numbers = [int(part) for part in pick.split(",")] if _PICK.fullmatch(pick) else []
    if len(numbers) != len(limits) or any(number >= limit for number, limit in zip(numbers, limits, strict=True)):
        raise OptionOutOfRange(option="pick", value=pick[:20], low=0, high=max(limits) - 1)
    return numbers
