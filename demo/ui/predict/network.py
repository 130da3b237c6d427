"""The choice of the network in tab 1: and its weights on their way."""

import asyncio
import html
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import gradio as gr

from demo.models.errors import WeightsError
from demo.models.fetch import FetchProgress, fetch_weights
from demo.models.hardware import find_hardware, name_device
from demo.models.weights import find_weights, has_weights
from demo.models.zoo import ZOO, BackboneSpec, find_spec
from demo.settings import MEGABYTE
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.outputs import unchanged
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.language import Words

_WATCH_EVERY_S = 0.5


class Notice(NamedTuple):
    """What tells of weights on their way: a sentence, a button to try again, and the network that it would try."""

    sentence: Any
    again: Any
    wanted: Any


class NetworkChoice(NamedTuple):
    """What a choice of a network changes: the session, the choice itself, and what tells of weights on their way."""

    ref: Any
    backbone: Any
    notice: Notice


@costs(Cost.FETCH)
def choose_backbone(rooms: Rooms, ref: Ref, backbone: str) -> Iterator[NetworkChoice]:
    """Use another network, once its weights are here; until then, and if they cannot be had, nothing changes."""
    session, spec, same = rooms.sessions.find(ref), find_spec(backbone), unchanged(NetworkChoice)
    try:
        for progress in fetch_weights(spec):
            yield same._replace(notice=_tell(draw_progress(rooms.words, spec, progress)))
        with rooms.backbones.lend(backbone):
            ref = session.change_state(lambda state: state.with_backbone(backbone))
    except WeightsError as error:
        notice = _tell(_draw_failure(rooms.words.explain(error)), try_again=backbone)
        yield same._replace(backbone=session.state.backbone_name, notice=notice)
    else:
        yield NetworkChoice(ref, backbone, _tell(""))


@costs(Cost.LIGHT)
async def await_network(rooms: Rooms, ref: Ref) -> AsyncIterator[Ref]:
    """Let a page that was opened before the first network was there be answered as soon as it is."""
    waited = False
    while rooms.arrival.is_waking:
        waited = True
        await asyncio.sleep(_WATCH_EVERY_S)
    if waited:
        yield replace(ref, revision=-1)  # it differs from what the page has, which then asks anew


@costs(Cost.LIGHT)
async def watch_arrival(rooms: Rooms) -> AsyncIterator[Notice]:
    """Show how far the download of the preferred network is; only looks, so it may be closed at any time."""
    arrival, words = rooms.arrival, rooms.words
    spec, waited = find_spec(arrival.backbone_name), False
    while not arrival.over.is_set():
        if arrival.progress is not None:
            waited = True
            yield _tell(draw_progress(words, spec, arrival.progress))
        await asyncio.sleep(_WATCH_EVERY_S)
    if arrival.error is not None:  # nobody on this page has asked for it, and the embedded network answers
        yield _tell(draw_absent(words, spec, arrival.error))
    else:
        yield _tell(_status(words.predict.network.arrived.format(backbone=spec.display_name)) if waited else "")


def draw_absent(words: Words, spec: BackboneSpec, error: Exception) -> str:
    """Return a mark at the network's name, behind which the reasons stand."""
    title = words.predict.network.absent.format(backbone=spec.display_name)
    return f'<details class="absent"><summary>{title}</summary><p>{html.escape(words.explain(error))}</p></details>'


def draw_progress(words: Words, spec: BackboneSpec, progress: FetchProgress) -> str:
    """Return a progress bar as HTML, with what is downloaded from which host."""
    total_bytes = progress.total_bytes or round(spec.facts.file_megabytes * MEGABYTE)
    done, total = progress.done_bytes / MEGABYTE, total_bytes / MEGABYTE
    sentence = words.predict.network.fetching.format(
        backbone=spec.display_name, host=progress.host, done=done, total=total
    )
    bar = f'<progress max="{total:.1f}" value="{min(done, total):.1f}"></progress>'
    return f"{_status(sentence)}{bar}"


def backbone_choices(words: Words) -> list[tuple[str, str]]:
    """Return the label and the name of each network; a network whose weights are not here says so."""

    def label(spec: BackboneSpec) -> str:
        if has_weights(spec):
            return spec.display_name
        return words.predict.network.missing.format(name=spec.display_name, megabytes=spec.facts.file_megabytes)

    return [(label(spec), spec.name) for spec in ZOO.values()]


def draw_source(words: Words, spec: BackboneSpec) -> str:
    """Say where a network's weights are."""
    found = find_weights(spec)
    return words.predict.network.sources[found.source.value] if found else words.predict.network.source_absent


def describe_hardware(rooms: Rooms, spec: BackboneSpec) -> str:
    """Say what computes with a network; where that is an engine that does not answer, what does meanwhile."""
    words, device = rooms.words.strip, rooms.backbones.device
    if rooms.asks_engine(spec.name):
        return words.hardware["engine"]
    here = words.hardware[find_hardware(device)].format(name=name_device(device))
    return here if rooms.backbones.engine is None else words.engine_away.format(here=here)


def build_network_choice(rooms: Rooms, ref: gr.State) -> NetworkChoice:
    """Lay out the choice, with what is told of weights on their way, and wire it."""
    words = rooms.words.predict.network
    backbone = gr.Dropdown(backbone_choices(rooms.words), label=words.label, interactive=True, elem_id="backbone")
    notice = Notice(
        gr.HTML("", padding=False, elem_id="network-notice"),
        gr.Button(words.try_again, visible=False, size="sm", elem_id="try-again"),
        gr.State(""),
    )
    choice = NetworkChoice(ref, backbone, notice)
    wire_choice(rooms, backbone.input, choice, backbone, trigger_mode="always_last")
    wire_choice(rooms, notice.again.click, choice, notice.wanted)
    return choice


def wire_choice(rooms: Rooms, trigger: Any, choice: NetworkChoice, name: gr.Component, **options: Any) -> None:
    """Let an event choose the network whose name a component holds."""
    shown_on = choice.notice.sentence  # where a visitor sees that others download first
    options |= {"show_progress_on": shown_on, "reveals": shown_on}
    listen(rooms, trigger, choose_backbone, (choice.ref, name), choice, **options)


def _tell(sentence: str, *, try_again: str = "") -> Notice:
    return Notice(sentence, gr.Button(visible=bool(try_again)), try_again)


def _draw_failure(sentence: str) -> str:
    return f'<p class="status failed" role="alert">{html.escape(sentence)}</p>'


def _status(sentence: str) -> str:
    return f'<p class="hint" role="status">{html.escape(sentence)}</p>'
