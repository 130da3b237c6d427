"""Pictures for a training: zips of class folders, classes made on the page, or a starter set."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

import gradio as gr

from demo.data.collection import Collection, switch_class
from demo.data.errors import NoArchive
from demo.data.folders import add_archives
from demo.data.starters import STARTERS
from demo.ui.finetune.gather.class_maker import ClassMaker, build_class_maker, wire_class_maker
from demo.ui.finetune.gather.picks import PICKS_SCRIPT
from demo.ui.finetune.gather.put_right import put_right
from demo.ui.finetune.gather.shown import Gathered, edit_pictures, empty_box, replace_pictures, show_collection
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.outputs import unchanged
from demo.ui.server.uploads import taken_file
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.finetune import GatherWords

# After a refusal the controls say again what is so.
_AS_IT_IS = "() => document.querySelectorAll('#report form').forEach((each) => each.reset())"
# A question that is asked again is what comes next.
_TO_QUESTION = """() => requestAnimationFrame(() => {
  if (demo.told?.startsWith("ask-")) document.querySelector("#questions [data-heir]")?.focus();
})"""


class Gathering(NamedTuple):
    """What shows the pictures, and the events after which the rest of the tab is shown anew.

    `answered` is the one of them that answers a question above the button that trains.
    """

    shown: Gathered
    changes: list[Any]
    answered: Any


@costs(Cost.READ)
def choose_archive(rooms: Rooms, ref: Ref, archives: list[dict[str, Any]] | None) -> Gathered:
    """Read the visitor's zips and report what is in them; those that come after others are joined to them."""
    if not archives:
        raise NoArchive()
    with ExitStack() as uploads:
        files = [uploads.enter_context(taken_file(each, NoArchive)) for each in archives]
        rooms.sessions.find(ref)  # before anything is read for nobody
        return edit_pictures(rooms, ref, partial(add_archives, files=files, settings=rooms.settings))


@costs(Cost.LIGHT)
def drop_pictures(rooms: Rooms, ref: Ref) -> tuple[Ref, Gathered]:
    """Forget the visitor's pictures and the results that show them; the head that was trained on them stays."""
    session = rooms.sessions.find(ref)
    session.choose_collection(None, rooms.settings)
    return session.change_state(lambda state: state), show_collection(rooms, session)


@costs(Cost.READ)
def choose_starter(rooms: Rooms, ref: Ref, name: str) -> Gathered:
    """Take one of the starter sets."""
    return replace_pictures(rooms, ref, rooms.read_starter(name, rooms.settings))


@costs(Cost.READ)
def take_starter(rooms: Rooms, ref: Ref, wanted: tuple[str, int] | None) -> Gathered:
    """Take the starter set that an address names, if it names one."""
    return choose_starter(rooms, ref, wanted[0]) if wanted else unchanged(Gathered)


@costs(Cost.COMPUTE)
def switch_classes(rooms: Rooms, ref: Ref, on: list[str]) -> Gathered:
    """Let the classes that are ticked take part, and no others."""
    return edit_pictures(rooms, ref, partial(_switch, on=on))


def build_gathering(rooms: Rooms, ref: gr.State, way_on: gr.HTML, wanted: gr.State) -> Gathering:
    """Lay out the three ways to bring pictures, the way on, the questions and the report, and wire them.

    The questions that stand above the button that trains are rendered there.
    """
    words = rooms.words.finetune.gather
    with gr.Row():
        with gr.Column(min_width=300):
            archive, maker, starters = _build_sources(words)
            way_on.render()
        with gr.Column(min_width=300, elem_id="gathered") as gathered:
            questions = gr.HTML("", padding=False, js_on_load=PICKS_SCRIPT, elem_id="questions")
            report = gr.HTML(
                f'<p class="hint">{words.no_dataset}</p>', padding=False, js_on_load=PICKS_SCRIPT, elem_id="report"
            )
            switches = gr.CheckboxGroup(
                [], label=words.switch_classes, visible=False, interactive=True, elem_id="switches"
            )
            drop = gr.Button(words.drop_pictures, size="sm", elem_id="drop-pictures")
    asked = gr.HTML("", padding=False, render=False, js_on_load=PICKS_SCRIPT, elem_id="train-questions")
    shown = Gathered(report, maker.chosen, switches, questions, asked)
    right = [_wire_reading(rooms, ref, shown, each) for each in (report, questions, asked)]
    right[0].success(None, None, None, js=_TO_QUESTION)
    changes = [
        _wire_archive(rooms, ref, archive, shown, gathered),
        *wire_class_maker(rooms, ref, maker, shown),
        listen(rooms, drop.click, drop_pictures, ref, [ref, shown], reveals=report),
        listen(rooms, switches.input, switch_classes, [ref, switches], shown, show_progress="hidden"),
        *_wire_starters(rooms, ref, starters, wanted, shown),
        *right,
    ]
    return Gathering(shown, changes, right[-1])


def _build_sources(words: GatherWords) -> tuple[gr.File, ClassMaker, dict[str, gr.Button]]:
    """Lay out the three ways to bring pictures: the one that needs nothing first."""
    with gr.Tabs(overflow_behavior="wrap", elem_id="sources"):
        with gr.Tab(words.starters_tab, id="starters", elem_id="starters-tab"):
            gr.HTML(f'<p class="help">{words.starters_help}</p>', padding=False)
            with gr.Row():
                starters = {name: gr.Button(words.starters[name], elem_id=f"starter-{name}") for name in STARTERS}
        with gr.Tab(words.classes_tab, id="classes", elem_id="classes-tab"):
            gr.HTML(f'<p class="help">{words.classes_help}</p>', padding=False)
            maker = build_class_maker(words)
        with gr.Tab(words.zip_tab, id="zip", elem_id="zip-tab"):
            gr.HTML(f'<p class="help">{words.zip_help}</p>', padding=False)
            archive = gr.File(label=words.archive, file_count="multiple", height=130, elem_id="archive")
    return archive, maker, starters


def _wire_starters(
    rooms: Rooms, ref: gr.State, starters: dict[str, gr.Button], wanted: gr.State, shown: Gathered
) -> Iterator[Any]:
    """Let a starter set be taken by its button, or by an address."""
    options: dict[str, Any] = {"show_progress_on": shown.report, "reveals": shown.report}
    for name, button in starters.items():
        yield listen(rooms, button.click, choose_starter, [ref, gr.State(name)], shown, **options)
    yield listen(rooms, wanted.change, take_starter, [ref, wanted], shown, show_progress_on=shown.report)


def _wire_archive(rooms: Rooms, ref: gr.State, archive: gr.File, shown: Gathered, gathered: gr.Column) -> Any:
    options = {"preprocess": False, "show_progress_on": shown.report, "reveals": gathered}
    reading = listen(rooms, archive.upload, choose_archive, [ref, archive], shown, **options)
    listen(rooms, reading.then, empty_box, None, archive)
    return reading


def _wire_reading(rooms: Rooms, ref: gr.State, shown: Gathered, control: gr.HTML) -> Any:
    """Let the reading be put right, or a question be answered, by what a component holds."""
    changed = listen(rooms, control.submit, put_right, ref, shown, show_progress="hidden", trigger_mode="multiple")
    changed.failure(None, None, None, js=_AS_IT_IS)
    return changed


def _switch(collection: Collection, *, on: Sequence[str]) -> Collection:
    for each in collection.classes:
        collection = switch_class(collection, each.name, is_on=each.name in on)
    return collection
