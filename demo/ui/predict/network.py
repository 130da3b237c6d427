"""The choice of the network in tab 1: its weights on their way, its place in the history, what it is."""

import asyncio
import html
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import gradio as gr

from demo.models.errors import WeightsError
from demo.models.fetch import FetchProgress, fetch_weights
from demo.models.weights import find_weights, has_weights
from demo.models.zoo import LENET5, ZOO, BackboneSpec, find_spec
from demo.settings import MEGABYTE
from demo.ui.handlers import LIGHT, bind
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.language import Words

_WATCH_EVERY_S = 0.5


class NetworkChoice(NamedTuple):
    """The choice, and the components that tell of weights on their way: notice, button, name to try again."""

    backbone: gr.Dropdown
    notices: list[Any]


def choose_backbone(rooms: Rooms, ref: Ref, backbone: str) -> Iterator[list[Any]]:
    """Use another network, once its weights are here; until then, and if they cannot be had, nothing changes."""
    session, spec = rooms.sessions.find(ref), find_spec(backbone)
    try:
        for progress in fetch_weights(spec):
            yield [gr.skip(), gr.skip(), *_notice(draw_progress(rooms.words, spec, progress))]
        with rooms.backbones.lend(backbone):
            ref = session.change_state(lambda state: state.with_backbone(backbone))
    except WeightsError as error:
        sentence = rooms.words.explain(error)
        yield [gr.skip(), session.state.backbone_name, *_notice(_draw_failure(sentence), try_again=backbone)]
    else:
        yield [ref, backbone, *_notice("")]


async def watch_arrival(rooms: Rooms) -> AsyncIterator[list[Any]]:
    """Show how far the preferred network is; only looks, so it may be closed at any time."""
    arrival, words = rooms.arrival, rooms.words
    spec, waited = find_spec(arrival.backbone_name), False
    while not arrival.over.is_set():
        if arrival.progress is not None:
            waited = True
            yield _notice(draw_progress(words, spec, arrival.progress))
        await asyncio.sleep(_WATCH_EVERY_S)
    if arrival.error is not None:
        # A hint, not an alarm: nobody on this page has asked for it, and the embedded network answers.
        yield _notice(_status(words.explain(arrival.error)), try_again=spec.name)
    else:
        yield _notice(_status(words.predict.network.arrived.format(backbone=spec.display_name)) if waited else "")


def draw_progress(words: Words, spec: BackboneSpec, progress: FetchProgress) -> str:
    """Return a progress bar as HTML, with what comes from where."""
    total_bytes = progress.total_bytes or round(spec.facts.file_megabytes * MEGABYTE)
    done, total = progress.done_bytes / MEGABYTE, total_bytes / MEGABYTE
    sentence = words.predict.network.fetching.format(
        backbone=spec.display_name, host=progress.host, done=done, total=total
    )
    bar = f'<progress max="{total:.1f}" value="{min(done, total):.1f}"></progress>'
    return f"{_status(sentence)}{bar}"


def backbone_choices(words: Words) -> list[tuple[str, str]]:
    """Return what the choice shows and what it means; a network whose weights are not here says so."""
    return [
        (
            spec.display_name
            if has_weights(spec)
            else words.predict.network.missing.format(name=spec.display_name, megabytes=spec.facts.file_megabytes),
            spec.name,
        )
        for spec in ZOO.values()
    ]


def draw_source(words: Words, spec: BackboneSpec) -> str:
    """Say where a network's weights are."""
    found = find_weights(spec)
    return words.predict.network.sources[found.source.value] if found else words.predict.network.source_absent


def draw_history(words: Words) -> str:
    """Return the history of the networks as an HTML table, the oldest first."""
    header = "".join(f"<th>{title}</th>" for title in words.predict.network.facts.values())
    lenet = (LENET5.year, _link(LENET5.display_name, LENET5.paper), words.predict.network.ideas[LENET5.name])
    rows = [_row([*lenet, words.predict.network.from_scratch, *[""] * (len(words.predict.network.facts) - 4)])]
    rows += [_row(_facts(words, spec)) for spec in ZOO.values()]
    return (
        f'<div class="wide"><table class="history"><thead><tr>{header}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def build_network_choice(rooms: Rooms, ref: gr.State) -> NetworkChoice:
    """Lay out the choice, with what is told of weights on their way, and wire it."""
    words = rooms.words
    backbone = gr.Dropdown(
        backbone_choices(words), label=words.predict.network.label, interactive=True, elem_id="backbone"
    )
    notice = gr.HTML("", padding=False, elem_id="network-notice")
    again = gr.Button(words.predict.network.try_again, visible=False, size="sm", elem_id="try-again")
    wanted = gr.State("")
    choice = NetworkChoice(backbone, [notice, again, wanted])
    choose = bind(rooms, choose_backbone)
    outputs = [ref, backbone, *choice.notices]
    backbone.input(choose, [ref, backbone], outputs, trigger_mode="always_last", **LIGHT)
    again.click(choose, [ref, wanted], outputs, **LIGHT)
    return choice


def build_history(rooms: Rooms, ref: gr.State, choice: NetworkChoice) -> None:
    """Lay out the history of the networks, each of which can be chosen there too."""
    words = rooms.words
    choose, outputs = bind(rooms, choose_backbone), [ref, choice.backbone, *choice.notices]
    with gr.Accordion(words.predict.network.history, open=False, elem_id="history"):
        gr.HTML(f'<p class="hint">{words.predict.network.history_help}</p>', padding=False)
        with gr.Row(elem_id="timeline"):
            for spec in ZOO.values():
                label = f"{spec.year} · {spec.display_name}"
                use = gr.Button(label, size="sm", min_width=0, elem_id=f"use-{spec.name}")
                use.click(choose, [ref, gr.State(spec.name)], outputs, **LIGHT)
        gr.HTML(draw_history(words), padding=False)


def _facts(words: Words, spec: BackboneSpec) -> list[object]:
    facts = spec.facts
    fields = " · ".join(f"{stage.stride} / {stage.receptive_field_px}" for stage in spec.stages)
    return [
        spec.year,
        _link(spec.display_name, spec.paper),
        words.predict.network.ideas[spec.name],
        f"{facts.num_parameters / 1e6:.1f}",
        f"{facts.gflops:.1f}",
        f"{100 * facts.top1:.1f}%",
        f"{facts.file_megabytes:.0f}",
        fields,
    ]


def _row(cells: list[object]) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _link(name: str, address: str) -> str:
    return f'<a href="{address}" target="_blank" rel="noopener">{name}</a>'


def _notice(shown: str, *, try_again: str = "") -> list[Any]:
    return [shown, gr.Button(visible=bool(try_again)), try_again]


def _draw_failure(sentence: str) -> str:
    return f'<p class="status failed" role="alert">{html.escape(sentence)}</p>'


def _status(sentence: str) -> str:
    return f'<p class="hint" role="status">{html.escape(sentence)}</p>'
