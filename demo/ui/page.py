"""The whole page: what is above the tabs, the three tabs, and what passes between them."""

import html
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import gradio as gr

from demo.entrance import network_of
from demo.errors import find_leaves
from demo.models.head import Head
from demo.models.state import ModelState
from demo.models.weights import usable_backbone
from demo.models.zoo import find_spec
from demo.programs import errors as _  # noqa: F401 - the commands' sentences are checked with those of the page
from demo.settings import Settings
from demo.ui.address import Place, build_link, go_to
from demo.ui.api.endpoints import build_api
from demo.ui.api_panel import build_api_panel
from demo.ui.bring import build_bring
from demo.ui.finetune.tab import FineTuneTab, Wanted, build_finetune_tab, show_session, watch_on_load
from demo.ui.handlers import Cost, bind, costs, listen
from demo.ui.inside.tab import build_inside_tab
from demo.ui.lesson.guide import Guide, build_guide, show_guide
from demo.ui.lifetime import errors as _of_the_place  # noqa: F401 - likewise those of the start
from demo.ui.papers.documents import draw_ways
from demo.ui.parts.glossary import build_glossary
from demo.ui.parts.notice import build_notice, draw_notice
from demo.ui.parts.outputs import unchanged
from demo.ui.parts.values import read_event
from demo.ui.photo import (
    Chosen,
    Photos,
    Shown,
    choose_example,
    choose_photo,
    keep_photo,
    read_picture_script,
    show_photo,
    show_photos,
)
from demo.ui.predict.network import await_network, describe_hardware, draw_source, watch_arrival
from demo.ui.predict.tab import Network, build_predict_tab, show_network
from demo.ui.privacy import build_privacy, draw_time_left
from demo.ui.server.upload_folder import open_folder
from demo.ui.survival.offer import build_offer, draw_offer, wire_offer
from demo.ui.survival.token import READ_TOKEN, WRITE_TOKEN, build_resume
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import CHINESE, ENGLISH, Words, check_errors

# A script goes to another place of the page, as Back asks for, by a click on what holds this.
_GO_SCRIPT = """demo.visit = (query) => trigger("click", {pick: query});"""

_QUIETLY: dict[str, Any] = {"show_progress": "hidden"}


class Refreshed(NamedTuple):
    """What is shown of the state that all tabs share, and the number of the model state, which others follow."""

    model: Any
    strip: Any
    back: Any
    network: Network
    shown: Shown


class Opened(NamedTuple):
    """What the page shows of a place: photograph, state, what of the address is wrong, the lesson, what to prepare."""

    photos: Photos
    refreshed: Refreshed
    notice: Any
    guide: Guide
    wanted: Wanted


class Attached(NamedTuple):
    """What a loaded page begins with; `restored` if a session was found, `arriving` if weights come or cannot."""

    token: Any
    ref: Any
    opened: Opened
    offer: Any
    time_left: Any
    restored: Any
    arriving: Any


@costs(Cost.PREDICT)
def attach(rooms: Rooms, token: str, query: str | None, kept: str | None, request: gr.Request) -> Attached:
    """Find the visitor's session again, or begin one, and go to the place that the address names.

    `kept` are the names of the classes of a head that the browser has kept, if it has; it is offered where none is.
    """
    session = rooms.sessions.attach(token, page=request.session_hash or "")
    session.presence.address = network_of(request.client.host) if request.client else ""
    session.translate(rooms.starter_names)
    is_known = session.ref.token == token
    is_anew = bool(token) and not is_known
    offer = draw_offer(rooms.words, kept or "", is_anew=is_anew) if session.state.head is None else ""
    said = [rooms.words.notice.anew] if is_anew and not offer else []
    return Attached(
        session.ref.token,
        Ref(session.ref.token),
        _open(rooms, session, query or "", said),
        offer,
        draw_time_left(rooms, rooms.sessions.seconds_left(session.ref)),
        is_known,
        rooms.arrival.error is not None or not rooms.arrival.over.is_set(),
    )


@costs(Cost.PREDICT)
def go(rooms: Rooms, ref: Ref, event: gr.EventData) -> Opened:
    """Go to the place that a query names; the guide stays where it is at that step already, and may just be tried."""
    session = rooms.sessions.find(ref)
    before = session.lesson.number
    opened = _open(rooms, session, read_event(event, "pick"))
    return opened._replace(guide=unchanged(Guide)) if session.lesson.number == before else opened


@costs(Cost.LIGHT)
def close_page(rooms: Rooms, request: gr.Request) -> None:
    """Note that a page was closed, reloaded, or lost its connection."""
    rooms.sessions.close_page(request.session_hash or "")


@costs(Cost.LIGHT)
def back_to_imagenet(rooms: Rooms, ref: Ref) -> Ref:
    """Drop the visitor's head; ImageNet's own classes answer again."""
    return rooms.sessions.find(ref).change_state(ModelState.without_head)


@costs(Cost.PREDICT)
def refresh(rooms: Rooms, ref: Ref) -> Refreshed:
    """Show the state that all tabs share wherever it is shown, and ask the network once for all of them."""
    return _show(rooms, rooms.sessions.find(ref))


def draw_strip(rooms: Rooms, state: ModelState) -> str:
    """Return the model state as HTML: network and what computes, whose classes answer, what a head gets right."""
    spec, words = find_spec(state.backbone_name), rooms.words
    precision = rooms.settings.precision
    rounded = "" if precision == Settings.precision else f"; {precision}"
    facts = [
        (words.strip.network, f"{spec.display_name} ({draw_source(words, spec)}{rounded})"),
        (words.strip.computed_by, describe_hardware(rooms, spec)),
        (words.strip.whose_classes, _describe_classes(words, state)),
    ]
    if state.head is not None:
        facts.append((words.strip.accuracy, _describe_head(words, state, state.head)))
    items = "".join(f"<div><dt>{name}</dt><dd>{html.escape(value)}</dd></div>" for name, value in facts)
    kind = "strip" if state.head is None else "strip own"
    return f'<dl class="{kind}" aria-live="polite">{items}</dl>'


def build_page(rooms: Rooms) -> gr.Blocks:
    """Build the page in each language, over the same sessions and networks, and the public API.

    Raises:
        WordsWrong: If an error has no sentence in one of the languages.
    """
    check_errors(CHINESE, find_leaves())
    open_folder()  # before gradio's components ask where it is
    page = gr.Blocks(title=ENGLISH.page.title, analytics_enabled=False)
    with page:
        build_api(rooms)  # first, so that its functions have their names, which gradio makes unique
        _build_language(page, replace(rooms, words=ENGLISH))
        page.unload(bind(rooms, close_page))
    with page.route("中文", "/zh"):
        _build_language(page, replace(rooms, words=CHINESE))
    return page


def _build_language(page: gr.Blocks, rooms: Rooms) -> None:
    words = rooms.words
    ref, model = gr.State(Ref()), gr.State(0)  # the session, and the number of its model state
    token, query, wanted = gr.Textbox(visible=False), gr.Textbox(visible=False), Wanted(gr.State(None), gr.State(None))
    with gr.Row(elem_id="header"):
        gr.HTML(_draw_title(words), padding=False)
        gr.HTML(_draw_views(words), padding=False)
        build_link(rooms)
    notice, offer = build_notice(), build_offer()
    with gr.Row(elem_id="model-state", equal_height=True):
        first = ModelState(usable_backbone(rooms.settings.backbone))
        strip = gr.HTML(draw_strip(rooms, first), padding=False, elem_id="strip")
        back = gr.Button(words.strip.back_to_imagenet, visible=False, size="sm", scale=0, min_width=160, elem_id="back")
    with gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):
        predict_tab = build_predict_tab(rooms, ref)
        finetune_tab = build_finetune_tab(rooms, ref, model, wanted)
        inside_tab = build_inside_tab(rooms, ref)
    place = gr.HTML("", padding=False, js_on_load=_GO_SCRIPT, elem_id="place")
    shown = Shown(predict_tab.answer, inside_tab.answer)
    refreshed = Refreshed(model, strip, back, predict_tab.network, shown)
    photos, guide = Photos(predict_tab.photo, inside_tab.photo), build_guide(rooms, ref)
    opened = Opened(photos, refreshed, notice, guide, wanted)
    _wire_photos(rooms, ref, opened.photos, shown)
    for example, name in [*predict_tab.examples, *inside_tab.examples]:
        outputs = (opened.photos, shown)
        _draw_bench(
            listen(rooms, example.click, choose_example, (ref, name), outputs, reveals=shown.answer, **_QUIETLY)
        )
    _draw_bench(listen(rooms, ref.change, refresh, ref, refreshed, **_QUIETLY))
    _draw_bench(listen(rooms, place.click, go, ref, opened, **_QUIETLY))
    _draw_bench(build_bring(rooms, ref, (opened.photos, shown)))
    build_glossary(words)
    build_api_panel(words)
    gr.HTML(draw_ways(words), padding=False)
    dropped = listen(rooms, back.click, back_to_imagenet, ref, ref)
    for event in (dropped, wire_offer(rooms, ref, offer)):
        listen(rooms, event.then, show_session, ref, finetune_tab)
    attached = Attached(token, ref, opened, offer, build_privacy(rooms, ref), gr.State(False), gr.State(False))
    build_resume(rooms, token, ref, attached.time_left)
    model.change(None, None, None, js="() => demo.keepsake?.save()")
    _wire_load(page, rooms, attached, query, finetune_tab)
    listen(rooms, attached.arriving.change, watch_arrival, None, predict_tab.notice)
    listen(rooms, attached.arriving.change, await_network, ref, ref)


def _draw_title(words: Words) -> str:
    page = words.page
    fold = f"<details><summary>{page.lead}</summary><p>{page.intro}</p></details>"
    return f"<header><h1>{page.title}</h1>{fold}</header>"


def _draw_views(words: Words) -> str:
    """Return the way to the page in the other language, and the button for a projector."""
    other = CHINESE if words.language == ENGLISH.language else ENGLISH
    address = "zh" if other is CHINESE else "./"
    return (
        f'<nav class="views" aria-label="{words.page.view}">'
        f'<a href="?lesson=1" data-act="click" data-pick="open">{words.lesson.title}</a>'
        f'<a href="{address}" lang="{other.language}" data-language="{address}">{other.page.language}</a>'
        f'<button type="button" id="projector" aria-pressed="false">{words.page.projector}</button></nav>'
    )


def _wire_load(page: gr.Blocks, rooms: Rooms, attached: Attached, query: gr.Textbox, tab: FineTuneTab) -> None:
    """Find the session again when the page is loaded, and what runs in it."""
    token, ref = attached.token, attached.ref
    script = READ_TOKEN % (rooms.words.language, rooms.words.page.title)
    inputs = (token, query, gr.Textbox(visible=False))
    found = listen(rooms, page.load, attach, inputs, attached, js=script, show_progress="hidden")
    found.then(None, token, None, js=WRITE_TOKEN)
    _draw_bench(found)
    restored = listen(rooms, attached.restored.change, show_session, ref, tab)
    watch_on_load(rooms, restored, ref, tab)


def _wire_photos(rooms: Rooms, ref: gr.State, photos: Photos, shown: Shown) -> None:
    """Let a photograph that is chosen in one tab be there in the other."""
    for here, there in (photos, photos[::-1]):
        options = {"js": read_picture_script(here), "preprocess": False, **_QUIETLY}
        chosen = Chosen(there, gr.State(0), shown)
        choosing = listen(rooms, here.input, choose_photo, (ref, here), chosen, **options)
        _draw_bench(choosing)
        listen(rooms, choosing.failure, keep_photo, ref, here)
        # The picture that is kept takes the place of the file that was brought, which is deleted; the browser has it
        # from the other tab. This is an event of its own, for to open the camera is an input without a picture, and
        # whatever were to fill the component then would close the camera again.
        chosen.number.change(None, there, here, js="(photo) => photo")


def _draw_bench(event: Any) -> None:
    """Let tab 3 follow an event; the browser knows whether anything is to be drawn."""
    event.success(None, None, None, js="() => demo.bench.change()")


def _open(rooms: Rooms, session: Session, query: str, said: Sequence[str] = ()) -> Opened:
    place, sentences = go_to(rooms, session, query)
    notice = draw_notice(rooms.words, *said, *sentences)
    guide = show_guide(rooms, session.lesson)
    return Opened(show_photos(session), _show(rooms, session), notice, guide, _want(session, place))


def _want(session: Session, place: Place) -> Wanted:
    """Return what tab 2 is to prepare; a starter set that the session has, maybe changed, is left as it is."""
    collection, number = session.pictures.collection, session.ref.revision
    has_set = collection is not None and collection.source == place.set
    return Wanted(
        (place.set, number) if place.set and not has_set else gr.skip(),
        (place.recipe, number) if place.recipe else gr.skip(),
    )


def _show(rooms: Rooms, session: Session) -> Refreshed:
    state = session.state
    return Refreshed(
        session.model_number,
        draw_strip(rooms, state),
        gr.Button(visible=state.head is not None),
        show_network(rooms, session),
        show_photo(rooms, session),
    )


def _describe_classes(words: Words, state: ModelState) -> str:
    if state.answering_head is None:
        return words.strip.imagenet_classes.format(count=len(state.class_names))
    return words.strip.own_classes.format(count=len(state.class_names), names=", ".join(state.class_names))


def _describe_head(words: Words, state: ModelState, head: Head) -> str:
    names = ", ".join(head.class_names)
    if not state.head_fits:
        return words.strip.head_rests.format(names=names, backbone=find_spec(head.backbone_name).display_name)
    if not state.use_head:
        return words.strip.head_aside.format(names=names)
    summary = head.summary
    value = words.strip.accuracy_value.format(
        correct=summary.val_correct, count=summary.val_count, percent=100 * summary.val_accuracy
    )
    facts = [words.strip.shuffled, value] if summary.recipe.shuffled else [value]
    if summary.val_balanced is not None:
        facts.append(words.strip.balanced_value.format(percent=100 * summary.val_balanced))
    return words.list_separator.join(facts)
