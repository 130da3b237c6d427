"""The whole page: what is above the tabs, the three tabs, and what passes between them."""

import html
from dataclasses import replace
from typing import Any, NamedTuple

import gradio as gr

from demo.errors import find_leaves
from demo.models.state import ModelState
from demo.models.weights import usable_backbone
from demo.models.zoo import find_spec
from demo.settings import Settings
from demo.tasks.predict import Prediction, predict
from demo.ui.api import build_api
from demo.ui.finetune.tab import FineTuneTab, build_finetune_tab, show_session, watch_on_load
from demo.ui.handlers import Cost, bind, costs, listen
from demo.ui.inside.tab import build_inside_tab
from demo.ui.photo import Chosen, Photos, answer_line, choose_photo, keep_photo, read_picture_script
from demo.ui.predict.network import draw_source, watch_arrival
from demo.ui.predict.tab import Answered, build_predict_tab, choose_example, show_prediction
from demo.ui.privacy import build_privacy, draw_time_left
from demo.ui.server.upload_folder import open_folder
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import CHINESE, ENGLISH, Words, check_errors

# sessionStorage belongs to one browser tab: it survives a reload, and at a shared computer the next pupil, in a
# new tab, does not find it. Where a browser forbids it the page works, and a reload begins anew.
_READ_TOKEN = """() => {
  document.documentElement.lang = %r; document.title = %r;
  try { return sessionStorage.getItem("demo-token") || "" } catch { return "" }
}"""
_WRITE_TOKEN = """(token) => { try { sessionStorage.setItem("demo-token", token) } catch {} }"""


class Attached(NamedTuple):
    """What a page that was loaded begins with."""

    token: Any
    ref: Any
    photos: Photos
    time_left: Any


class Refreshed(NamedTuple):
    """What is shown of the state that all tabs share, and the number of the model state, which others follow."""

    model: Any
    strip: Any
    back: Any
    predict: Answered
    inside_answer: Any


@costs(Cost.LIGHT)
def attach(rooms: Rooms, token: str, request: gr.Request) -> Attached:
    """Find the visitor's session again, or begin one; restore the photograph in both tabs."""
    session = rooms.sessions.attach(token, page=request.session_hash or "")
    photo, is_anew = session.photos.photo, bool(token) and session.ref.token != token
    time_left = draw_time_left(rooms, rooms.sessions.seconds_left(session.ref), is_anew=is_anew)
    return Attached(session.ref.token, session.ref, Photos(photo, photo), time_left)


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
    session = rooms.sessions.find(ref)
    prediction = _predict(rooms, session)
    return Refreshed(
        session.model_number,
        draw_strip(rooms, session.state),
        gr.Button(interactive=session.state.head is not None),
        show_prediction(rooms, session, prediction),
        answer_line(rooms.words, prediction),
    )


def draw_strip(rooms: Rooms, state: ModelState) -> str:
    """Return the model state as HTML: network, whose classes answer, and what a head gets right."""
    spec, words, precision = find_spec(state.backbone_name), rooms.words, rooms.settings.precision
    rounded = "" if precision == Settings.precision else f"; {precision}"
    facts = [
        (words.strip.network, f"{spec.display_name} ({draw_source(words, spec)}{rounded})"),
        (words.strip.whose_classes, _describe_classes(words, state)),
        (words.strip.accuracy, _describe_head(words, state)),
    ]
    items = "".join(f"<div><dt>{name}</dt><dd>{html.escape(value)}</dd></div>" for name, value in facts)
    return f'<dl class="strip" aria-live="polite">{items}</dl>'


def build_page(rooms: Rooms) -> gr.Blocks:
    """Build the page in each language, over the same sessions and networks, and the public API.

    Raises:
        WordsWrong: If an error has no sentence in one of the languages.
    """
    check_errors(CHINESE, find_leaves())
    open_folder()  # before gradio's components ask where it is
    page = gr.Blocks(title=ENGLISH.page.title, analytics_enabled=False)
    with page:
        _build_language(page, replace(rooms, words=ENGLISH))
        build_api(rooms)
        page.unload(bind(rooms, close_page))
    with page.route("中文", "/zh"):
        _build_language(page, replace(rooms, words=CHINESE))
    return page


def _build_language(page: gr.Blocks, rooms: Rooms) -> None:
    words = rooms.words
    ref, model = gr.State(Ref()), gr.State(-1)  # the session, and the number of its model state
    token = gr.Textbox(visible=False)
    gr.Navbar(main_page_name="English")
    gr.HTML(f"<header><h1>{words.page.title}</h1><p>{words.page.intro}</p></header>", padding=False)
    with gr.Row(elem_id="model-state", equal_height=True):
        first = ModelState(usable_backbone(rooms.settings.backbone))
        strip = gr.HTML(draw_strip(rooms, first), padding=False, elem_id="strip")
        label = words.strip.back_to_imagenet
        back = gr.Button(label, interactive=False, size="sm", scale=0, min_width=160, elem_id="back")
    with gr.Tabs():
        predict_tab = build_predict_tab(rooms, ref)
        finetune_tab = build_finetune_tab(rooms, ref, model)
        inside_tab = build_inside_tab(rooms, ref)
    photos = Photos(predict_tab.photo, inside_tab.photo)
    attached = Attached(token, ref, photos, build_privacy(rooms, ref))
    _wire_photos(rooms, ref, photos)
    for example, name in predict_tab.examples:
        listen(rooms, example.click, choose_example, (ref, name), (ref, photos), show_progress="hidden")
    refreshed = Refreshed(model, strip, back, predict_tab.answered, inside_tab.answer)
    answers = [predict_tab.answered.answer, inside_tab.answer]
    listen(rooms, ref.change, refresh, ref, refreshed, show_progress="minimal", show_progress_on=answers)
    dropped = listen(rooms, back.click, back_to_imagenet, ref, ref)
    listen(rooms, dropped.then, show_session, ref, finetune_tab)
    _wire_load(page, rooms, attached, finetune_tab)
    listen(rooms, page.load, watch_arrival, None, predict_tab.notice)


def _wire_load(page: gr.Blocks, rooms: Rooms, attached: Attached, tab: FineTuneTab) -> None:
    """Find the session again when the page is loaded, and what runs in it."""
    token, ref = attached.token, attached.ref
    script = _READ_TOKEN % (rooms.words.language, rooms.words.page.title)
    found = listen(rooms, page.load, attach, token, attached, js=script).then(None, token, None, js=_WRITE_TOKEN)
    restored = listen(rooms, found.then, show_session, ref, tab)
    watch_on_load(rooms, restored, ref, tab)


def _wire_photos(rooms: Rooms, ref: gr.State, photos: Photos) -> None:
    """Let a photograph that is chosen in one tab be there in the other."""
    for here, there in (photos, photos[::-1]):
        options = {"js": read_picture_script(here), "preprocess": False, "show_progress": "hidden"}
        chosen = Chosen(ref, there, gr.State(0))
        choosing = listen(rooms, here.input, choose_photo, (ref, here), chosen, **options)
        listen(rooms, choosing.failure, keep_photo, ref, here)
        # The picture that is kept takes the place of the file that was brought, which is deleted; the browser has it
        # from the other tab. This is an event of its own, for to open the camera is an input without a picture, and
        # whatever were to fill the component then would close the camera again.
        chosen.number.change(None, there, here, js="(photo) => photo")


def _predict(rooms: Rooms, session: Session) -> Prediction | None:
    state, photo = session.state, session.photos.photo
    if photo is None:
        return None
    with rooms.lend(state) as backbone:
        return predict(backbone, photo, head=state.answering_head)


def _describe_classes(words: Words, state: ModelState) -> str:
    if state.answering_head is None:
        return words.strip.imagenet_classes.format(count=len(state.class_names))
    return words.strip.own_classes.format(count=len(state.class_names), names=", ".join(state.class_names))


def _describe_head(words: Words, state: ModelState) -> str:
    if state.head is None:
        return words.strip.no_head
    names = ", ".join(state.head.class_names)
    if not state.head_fits:
        return words.strip.head_rests.format(names=names, backbone=find_spec(state.head.backbone_name).display_name)
    if not state.use_head:
        return words.strip.head_aside.format(names=names)
    summary = state.head.summary
    value = words.strip.accuracy_value.format(
        correct=summary.val_correct, count=summary.val_count, percent=100 * summary.val_accuracy
    )
    if summary.val_balanced is None:
        return value
    return f"{value}{words.list_separator}{words.strip.balanced_value.format(percent=100 * summary.val_balanced)}"
