"""Classes that a visitor makes on the page, and fills from files or with the camera."""

from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

import gradio as gr

from demo.data.collection import Collection, add_class, add_pictures, find_class, remove_class, rename_class
from demo.data.errors import NoImage, UnknownClass
from demo.ui.finetune.gather.shown import Gathered, edit_pictures, empty_box, list_classes, show_collection
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_status
from demo.ui.parts.values import streamed_bytes
from demo.ui.server.uploads import taken_file
from demo.visitors.errors import NotAgreed, TrainingRunning
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.finetune import GatherWords

# A recording holds its place in the line for as long as it runs, so there is a place for everybody.
_RECORDING: dict[str, Any] = {
    "preprocess": False,
    "stream_every": 0.5,  # seconds from frame to frame
    "time_limit": 60,  # seconds; scripts/camera.js ends it then too, and lets go of the camera
    "show_progress": "hidden",
    "concurrency_id": "record",
    "concurrency_limit": None,
}
# A frame is sent as text, for which there is room for a megabyte; networks look at 224 pixels.
_CAMERA = {"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}}


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
    have_agreed: gr.Checkbox
    faces: gr.Button


@costs(Cost.COMPUTE)
def make_class(rooms: Rooms, ref: Ref, name: str) -> tuple[str, Gathered]:
    """Add a class of the visitor's own, without pictures yet, and choose it; the box for its name is emptied."""
    return "", edit_pictures(rooms, ref, partial(add_class, name=name or "", settings=rooms.settings))


@costs(Cost.COMPUTE)
def make_faces(rooms: Rooms, ref: Ref, have_agreed: bool) -> Gathered:
    """Make the classes "you" and "not you", once all who will be pictured have agreed."""
    if not have_agreed:
        raise NotAgreed()
    for name in rooms.words.finetune.gather.faces_classes:
        if name not in list_classes(rooms.sessions.find(ref)):
            edit_pictures(rooms, ref, partial(add_class, name=name, settings=rooms.settings))
    return show_collection(rooms, rooms.sessions.find(ref))


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
        return edit_pictures(rooms, ref, add, chosen=name)


@costs(Cost.COMPUTE)
def record_frame(rooms: Rooms, ref: Ref, class_name: str | None, frame: dict[str, Any] | None) -> str:
    """Add one picture of a recording to a class; say how many the class has, the report comes at the end."""
    session, name = rooms.sessions.find(ref), class_name or ""
    files = [(f"{name}.jpg", streamed_bytes(frame, rooms.settings))]
    add = partial(add_pictures, class_name=name, files=files, settings=rooms.settings)
    try:
        session.edit_collection(add, rooms.settings)
    except (UnknownClass, TrainingRunning) as error:  # the frame was on its way when the pictures were replaced
        return draw_status(rooms.words.explain(error))
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
    return edit_pictures(rooms, ref, rename, chosen=class_name or "")


@costs(Cost.COMPUTE)
def drop_class(rooms: Rooms, ref: Ref, class_name: str | None) -> Gathered:
    """Remove a class with its pictures."""
    return edit_pictures(rooms, ref, partial(remove_class, name=class_name or ""))


def build_class_maker(words: GatherWords) -> ClassMaker:
    """Lay out what makes and fills classes."""
    with gr.Accordion(words.faces_title, open=False, elem_id="faces-panel"):
        gr.HTML(f'<p class="help">{words.faces_help}</p>', padding=False)
        have_agreed = gr.Checkbox(False, label=words.faces_consent, elem_id="have-agreed")
        faces = gr.Button(words.faces, size="sm", elem_id="make-faces")
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
    gr.HTML("", padding=False, elem_id="recording")  # scripts/camera.js writes into it
    recorded = gr.HTML("", padding=False, elem_id="recorded")
    with gr.Row(equal_height=True):
        rename = gr.Button(words.rename_class, size="sm", min_width=120, elem_id="rename-class")
        remove = gr.Button(words.remove_class, size="sm", min_width=120, elem_id="remove-class")
    return ClassMaker(new_class, add, chosen, uploads, camera, recorded, rename, remove, have_agreed, faces)


def wire_class_maker(rooms: Rooms, ref: gr.State, maker: ClassMaker, shown: Gathered) -> list[Any]:
    """Let classes be made, filled, renamed and removed; return the events after which they are others."""
    chosen, new_class, quietly = maker.chosen, maker.new_class, {"show_progress": "hidden", "reveals": maker.chosen}
    options = {"preprocess": False, "show_progress_on": shown.report}
    taking = listen(rooms, maker.uploads.upload, add_uploads, [ref, chosen, maker.uploads], shown, **options)
    listen(rooms, taking.then, empty_box, None, maker.uploads, reveals=shown.report)  # a box of another height
    recording = listen(
        rooms, maker.camera.stream, record_frame, [ref, chosen, maker.camera], maker.recorded, **_RECORDING
    )
    return [
        taking,
        listen(rooms, recording.then, show_recorded, [ref, chosen], shown, **quietly),
        listen(rooms, [maker.add.click, new_class.submit], make_class, [ref, new_class], [new_class, shown], **quietly),
        listen(rooms, maker.rename.click, name_class, [ref, chosen, new_class], shown, **quietly),
        listen(rooms, maker.remove.click, drop_class, [ref, chosen], shown, **quietly),
        listen(rooms, maker.faces.click, make_faces, [ref, maker.have_agreed], shown, **quietly),
    ]
