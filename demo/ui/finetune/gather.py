"""Pictures for a training: a zip of class folders, classes made on the page, or a starter set."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

import gradio as gr

from demo.data.collection import (
    Collection,
    add_class,
    add_pictures,
    find_class,
    remove_class,
    rename_class,
    switch_class,
)
from demo.data.errors import NoArchive, NoImage
from demo.data.folders import read_collection
from demo.data.starters import STARTERS
from demo.ui.finetune.data_report_markup import draw_report
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_status
from demo.ui.parts.values import streamed_bytes
from demo.ui.server.uploads import taken_file
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.finetune import GatherWords

# A recording holds its place in the line for as long as it runs, so there is a place for everybody.
_RECORDING: dict[str, Any] = {
    "preprocess": False,
    "stream_every": 0.5,  # seconds from frame to frame
    "time_limit": 20,  # seconds
    "show_progress": "hidden",
    "concurrency_id": "record",
    "concurrency_limit": None,
}
# A frame is sent as text, for which there is room for a megabyte; networks look at 224 pixels.
_CAMERA = {"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}}


class Gathered(NamedTuple):
    """What is shown of the pictures: their report, the class that new ones go to, and which classes take part."""

    report: Any
    chosen: Any
    switches: Any


class Gathering(NamedTuple):
    """What shows the pictures, and the events after which the rest of the tab is shown anew."""

    shown: Gathered
    changes: list[Any]


class ClassMaker(NamedTuple):
    """The components by which classes are made on the page and filled."""

    new_class: gr.Textbox
    add: gr.Button
    chosen: gr.Dropdown
    uploads: gr.File
    camera: gr.Image
    recorded: gr.HTML
    rename: gr.Button
    remove: gr.Button


@costs(Cost.READ)
def choose_archive(rooms: Rooms, ref: Ref, archive: dict[str, Any] | None) -> Gathered:
    """Read the visitor's zip and report what is in it."""
    with taken_file(archive, NoArchive) as (path, name):
        rooms.sessions.find(ref)  # before anything is read for nobody
        return _replace(rooms, ref, read_collection(path, rooms.settings, name=name))


@costs(Cost.LIGHT)
def drop_pictures(rooms: Rooms, ref: Ref) -> tuple[Ref, Gathered]:
    """Forget the visitor's pictures and the results that show them; the head that was trained on them stays."""
    session = rooms.sessions.find(ref)
    session.choose_collection(None, rooms.settings)
    return session.change_state(lambda state: state), show_collection(rooms, session)


@costs(Cost.READ)
def choose_starter(rooms: Rooms, ref: Ref, name: str) -> Gathered:
    """Take one of the starter sets."""
    return _replace(rooms, ref, rooms.read_starter(name, rooms.settings))


@costs(Cost.COMPUTE)
def make_class(rooms: Rooms, ref: Ref, name: str) -> tuple[str, Gathered]:
    """Add a class of the visitor's own, without pictures yet, and choose it; the box for its name is emptied."""
    return "", _edit(rooms, ref, partial(add_class, name=name or "", settings=rooms.settings))


@costs(Cost.READ)
def add_uploads(rooms: Rooms, ref: Ref, class_name: str | None, files: list[dict[str, Any]] | None) -> Gathered:
    """Add uploaded pictures to a class."""
    if not files:
        raise NoImage()
    name = class_name or ""
    with ExitStack() as uploads:
        taken = [uploads.enter_context(taken_file(each, NoImage)) for each in files]
        pictures = [(label, path) for path, label in taken]
        add = partial(add_pictures, class_name=name, files=pictures, settings=rooms.settings)
        return _edit(rooms, ref, add, chosen=name)


@costs(Cost.COMPUTE)
def record_frame(rooms: Rooms, ref: Ref, class_name: str | None, frame: dict[str, Any] | None) -> str:
    """Add one picture of a recording to a class; say how many the class has, the report comes at the end."""
    session, name = rooms.sessions.find(ref), class_name or ""
    files = [(f"{name}.jpg", streamed_bytes(frame, rooms.settings))]
    add = partial(add_pictures, class_name=name, files=files, settings=rooms.settings)
    session.edit_collection(add, rooms.settings)
    count = len(find_class(session.pictures.collection or Collection(), name).pictures)
    return draw_status(rooms.words.finetune.gather.recorded.format(name=name, count=count))


@costs(Cost.COMPUTE)
def show_recorded(rooms: Rooms, ref: Ref, class_name: str | None) -> Gathered:
    """Report the pictures after a recording."""
    return show_collection(rooms, rooms.sessions.find(ref), chosen=class_name or "")


@costs(Cost.COMPUTE)
def name_class(rooms: Rooms, ref: Ref, class_name: str | None, new_name: str) -> Gathered:
    """Rename a class."""
    rename = partial(rename_class, name=class_name or "", new_name=new_name or "")
    return _edit(rooms, ref, rename, chosen=class_name or "")


@costs(Cost.COMPUTE)
def drop_class(rooms: Rooms, ref: Ref, class_name: str | None) -> Gathered:
    """Remove a class with its pictures."""
    return _edit(rooms, ref, partial(remove_class, name=class_name or ""))


@costs(Cost.COMPUTE)
def switch_classes(rooms: Rooms, ref: Ref, on: list[str]) -> Gathered:
    """Let the classes that are ticked take part, and no others."""
    return _edit(rooms, ref, partial(_switch, on=on))


@costs(Cost.LIGHT)
def empty_box(_rooms: Rooms) -> None:
    """Take an upload that was refused, or has been added, off the page, so that the page shows what is in use."""


def show_collection(rooms: Rooms, session: Session, *, chosen: str = "") -> Gathered:
    """Return the report, and the choices of classes."""
    collection, names = session.pictures.collection, _names(session)
    on = [each.name for each in collection.classes if each.is_on] if collection else []
    choice = chosen if chosen in names else (names[0] if names else None)
    return Gathered(
        draw_report(rooms.words, session.pictures),
        gr.Dropdown(choices=names, value=choice),
        gr.CheckboxGroup(choices=names, value=on, visible=bool(names)),
    )


def build_gathering(rooms: Rooms, ref: gr.State) -> Gathering:
    """Lay out the three ways to bring pictures, and their report, and wire them."""
    words = rooms.words.finetune.gather
    with gr.Tabs():
        with gr.Tab(words.zip_tab, id="zip", elem_id="zip-tab"):
            archive = gr.File(label=words.archive, height=130, elem_id="archive")
        with gr.Tab(words.classes_tab, id="classes", elem_id="classes-tab"):
            gr.HTML(f'<p class="help">{words.classes_help}</p>', padding=False)
            maker = _build_class_maker(words)
        with gr.Tab(words.starters_tab, id="starters", elem_id="starters-tab"):
            gr.HTML(f'<p class="help">{words.starters_help}</p>', padding=False)
            with gr.Row():
                starters = {name: gr.Button(words.starters[name], elem_id=f"starter-{name}") for name in STARTERS}
    switches = gr.CheckboxGroup([], label=words.switch_classes, visible=False, interactive=True, elem_id="switches")
    report = gr.HTML(f'<p class="hint">{words.no_dataset}</p>', padding=False, elem_id="report")
    drop = gr.Button(words.drop_pictures, size="sm", elem_id="drop-pictures")
    shown = Gathered(report, maker.chosen, switches)
    changes = [
        *_wire_archive(rooms, ref, archive, shown),
        *_wire_class_maker(rooms, ref, maker, shown),
        listen(rooms, drop.click, drop_pictures, ref, [ref, shown]),
        listen(rooms, switches.input, switch_classes, [ref, switches], shown, show_progress="hidden"),
        *(
            listen(rooms, button.click, choose_starter, [ref, gr.State(name)], shown, show_progress_on=report)
            for name, button in starters.items()
        ),
    ]
    return Gathering(shown, changes)


def _build_class_maker(words: GatherWords) -> ClassMaker:
    with gr.Row(equal_height=True):
        new_class = gr.Textbox(
            label=words.new_class, placeholder=words.new_class_hint, max_length=40, min_width=140, elem_id="new-class"
        )
        add = gr.Button(words.add_class, scale=0, min_width=120, elem_id="add-class")
    chosen = gr.Dropdown([], label=words.chosen_class, interactive=True, elem_id="chosen-class")
    with gr.Row():
        uploads = gr.File(
            label=words.class_pictures, file_count="multiple", height=130, min_width=200, elem_id="class-pictures"
        )
        camera = gr.Image(
            label=words.class_camera,
            type="filepath",
            format="jpeg",
            sources=["webcam"],
            streaming=True,
            buttons=[],
            webcam_options=gr.WebcamOptions(mirror=False, constraints=_CAMERA),
            height=220,
            min_width=200,
            elem_id="class-camera",
        )
    recorded = gr.HTML("", padding=False, elem_id="recorded")
    with gr.Row(equal_height=True):
        rename = gr.Button(words.rename_class, size="sm", min_width=120, elem_id="rename-class")
        remove = gr.Button(words.remove_class, size="sm", min_width=120, elem_id="remove-class")
    return ClassMaker(new_class, add, chosen, uploads, camera, recorded, rename, remove)


def _wire_archive(rooms: Rooms, ref: gr.State, archive: gr.File, shown: Gathered) -> list[Any]:
    options = {"preprocess": False, "show_progress_on": shown.report}
    reading = listen(rooms, archive.upload, choose_archive, [ref, archive], shown, **options)
    listen(rooms, reading.failure, empty_box, None, archive)
    return [reading, listen(rooms, archive.clear, drop_pictures, ref, [ref, shown])]


def _wire_class_maker(rooms: Rooms, ref: gr.State, maker: ClassMaker, shown: Gathered) -> list[Any]:
    """Let classes be made, filled, renamed and removed; return the events after which they are others."""
    chosen, new_class, quietly = maker.chosen, maker.new_class, {"show_progress": "hidden"}
    options = {"preprocess": False, "show_progress_on": shown.report}
    taking = listen(rooms, maker.uploads.upload, add_uploads, [ref, chosen, maker.uploads], shown, **options)
    listen(rooms, taking.then, empty_box, None, maker.uploads)
    recording = listen(
        rooms, maker.camera.stream, record_frame, [ref, chosen, maker.camera], maker.recorded, **_RECORDING
    )
    making = [maker.add.click, new_class.submit]
    return [
        taking,
        listen(rooms, recording.then, show_recorded, [ref, chosen], shown, **quietly),
        listen(rooms, making, make_class, [ref, new_class], [new_class, shown], **quietly),
        listen(rooms, maker.rename.click, name_class, [ref, chosen, new_class], shown, **quietly),
        listen(rooms, maker.remove.click, drop_class, [ref, chosen], shown, **quietly),
    ]


def _replace(rooms: Rooms, ref: Ref, collection: Collection) -> Gathered:
    session = rooms.sessions.find(ref)
    session.choose_collection(collection, rooms.settings)
    return show_collection(rooms, session)


def _edit(rooms: Rooms, ref: Ref, change: Callable[[Collection], Collection], *, chosen: str = "") -> Gathered:
    """Change the visitor's classes, and choose the one whose name is new, or else the one that is asked for."""
    session = rooms.sessions.find(ref)
    before = _names(session)
    session.edit_collection(change, rooms.settings)
    new = [name for name in _names(session) if name not in before]
    return show_collection(rooms, session, chosen=new[0] if new else chosen)


def _switch(collection: Collection, *, on: Sequence[str]) -> Collection:
    for each in collection.classes:
        collection = switch_class(collection, each.name, is_on=each.name in on)
    return collection


def _names(session: Session) -> list[str]:
    return [each.name for each in session.pictures.collection.classes] if session.pictures.collection else []
