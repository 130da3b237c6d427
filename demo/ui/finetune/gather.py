"""Pictures for a training: a zip of class folders, classes made on the page, or a starter set; and their report."""

import html
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
from demo.data.dataset import DataReport, Dataset, Skipped, Split
from demo.data.errors import NoArchive, NoImage
from demo.data.folders import read_collection
from demo.data.starters import STARTERS
from demo.ui.handlers import LIGHT, READ, bind, bind_slow
from demo.ui.parts.markup import draw_picture, draw_status, draw_table
from demo.ui.parts.values import streamed_bytes
from demo.ui.server.uploads import taken_file
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words

_FRAME_EVERY_S = 0.5
_MAX_RECORDING_S = 20
# A frame is sent as text, for which there is room for a megabyte; networks look at 224 pixels.
_CAMERA = {"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}}
_MAX_SKIPPED_SHOWN = 10
_MAX_THUMBNAILS = 6  # of each class
_MAX_ALL_THUMBNAILS = 40


class Gathering(NamedTuple):
    """The components that `show_collection` fills, and the events after which the rest of the tab is shown anew."""

    shown: list[Any]
    changes: list[Any]


def choose_archive(rooms: Rooms, ref: Ref, archive: dict[str, Any] | None) -> list[Any]:
    """Read the visitor's zip and report what is in it."""
    with taken_file(archive, NoArchive) as (path, name):
        rooms.sessions.find(ref)  # before anything is read for nobody
        return _replace(rooms, ref, read_collection(path, rooms.settings, name=name))


def drop_pictures(rooms: Rooms, ref: Ref) -> list[Any]:
    """Forget the visitor's pictures and the results that show them; the head that was trained on them stays."""
    session = rooms.sessions.find(ref)
    session.choose_collection(None, rooms.settings)
    return [session.change_state(lambda state: state), *show_collection(rooms, session)]


def choose_starter(rooms: Rooms, ref: Ref, name: str) -> list[Any]:
    """Take one of the starter sets."""
    return _replace(rooms, ref, rooms.read_starter(name, rooms.settings))


def make_class(rooms: Rooms, ref: Ref, name: str) -> list[Any]:
    """Add a class of the visitor's own, without pictures yet, and choose it."""
    return ["", *_edit(rooms, ref, partial(add_class, name=name or "", settings=rooms.settings))]


def add_uploads(rooms: Rooms, ref: Ref, class_name: str | None, files: list[dict[str, Any]] | None) -> list[Any]:
    """Add uploaded pictures to a class."""
    if not files:
        raise NoImage()
    with ExitStack() as uploads:
        pictures = [uploads.enter_context(taken_file(each, NoImage)) for each in files]
        return _add(rooms, ref, class_name, [(name, path) for path, name in pictures])


def record_frame(rooms: Rooms, ref: Ref, class_name: str | None, frame: dict[str, Any] | None) -> str:
    """Add one picture of a recording to a class; say how many the class has, the report comes at the end."""
    session, name = rooms.sessions.find(ref), class_name or ""
    files = [(f"{name}.jpg", streamed_bytes(frame, rooms.settings))]
    session.edit_collection(
        partial(add_pictures, class_name=name, files=files, settings=rooms.settings), rooms.settings
    )
    count = len(find_class(session.pictures.collection or Collection(), name).pictures)
    return draw_status(rooms.words.finetune.gather.recorded.format(name=name, count=count))


def show_recorded(rooms: Rooms, ref: Ref, class_name: str | None) -> list[Any]:
    """Report the pictures after a recording."""
    return show_collection(rooms, rooms.sessions.find(ref), chosen=class_name or "")


def name_class(rooms: Rooms, ref: Ref, class_name: str | None, new_name: str) -> list[Any]:
    """Rename a class."""
    rename = partial(rename_class, name=class_name or "", new_name=new_name or "")
    return _edit(rooms, ref, rename, chosen=class_name or "")


def drop_class(rooms: Rooms, ref: Ref, class_name: str | None) -> list[Any]:
    """Remove a class with its pictures."""
    return _edit(rooms, ref, partial(remove_class, name=class_name or ""))


def switch_classes(rooms: Rooms, ref: Ref, on: list[str]) -> list[Any]:
    """Let the classes that are ticked take part, and no others."""
    return _edit(rooms, ref, partial(_switch, on=on))


def show_collection(rooms: Rooms, session: Session, *, chosen: str = "") -> list[Any]:
    """Return the report, and the choices of classes."""
    collection, names = session.pictures.collection, _names(session)
    on = [each.name for each in collection.classes if each.is_on] if collection else []
    choice = chosen if chosen in names else (names[0] if names else None)
    return [
        draw_report(rooms.words, session),
        gr.Dropdown(choices=names, value=choice),
        gr.CheckboxGroup(choices=names, value=on, visible=bool(names)),
    ]


def draw_report(words: Words, session: Session) -> str:
    """Return what the visitor has gathered: counts, thumbnails, warnings and skipped files, as HTML."""
    collection, dataset = session.pictures.collection, session.pictures.dataset
    if collection is None:
        return f'<p class="hint">{words.finetune.gather.no_dataset}</p>'
    parts = []
    if dataset is not None:
        parts += [_draw_counts(words, dataset), _draw_warnings(words, dataset.report)]
    elif session.pictures.error is not None:
        parts.append(draw_status(words.explain(session.pictures.error)))  # what is still missing, not a failure
    return "".join([*parts, _draw_thumbnails(words, collection), _draw_skipped(words, collection.skipped)])


def build_gathering(rooms: Rooms, ref: gr.State) -> Gathering:
    """Lay out the three ways to bring pictures, and their report, and wire them."""
    words = rooms.words
    with gr.Tabs():
        with gr.Tab(words.finetune.gather.zip_tab, id="zip", elem_id="zip-tab"):
            archive = gr.File(label=words.finetune.gather.archive, height=130, elem_id="archive")
        with gr.Tab(words.finetune.gather.classes_tab, id="classes", elem_id="classes-tab"):
            gr.HTML(f'<p class="help">{words.finetune.gather.classes_help}</p>', padding=False)
            with gr.Row(equal_height=True):
                new_class = gr.Textbox(
                    label=words.finetune.gather.new_class,
                    placeholder=words.finetune.gather.new_class_hint,
                    max_length=40,
                    min_width=140,
                    elem_id="new-class",
                )
                add = gr.Button(words.finetune.gather.add_class, scale=0, min_width=120, elem_id="add-class")
            chosen = gr.Dropdown([], label=words.finetune.gather.chosen_class, interactive=True, elem_id="chosen-class")
            with gr.Row():
                uploads = gr.File(
                    label=words.finetune.gather.class_pictures,
                    file_count="multiple",
                    height=130,
                    min_width=200,
                    elem_id="class-pictures",
                )
                camera = gr.Image(
                    label=words.finetune.gather.class_camera,
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
                rename = gr.Button(words.finetune.gather.rename_class, size="sm", min_width=120, elem_id="rename-class")
                remove = gr.Button(words.finetune.gather.remove_class, size="sm", min_width=120, elem_id="remove-class")
        with gr.Tab(words.finetune.gather.starters_tab, id="starters", elem_id="starters-tab"):
            gr.HTML(f'<p class="help">{words.finetune.gather.starters_help}</p>', padding=False)
            with gr.Row():
                starters = [
                    (gr.Button(words.finetune.gather.starters[name], elem_id=f"starter-{name}"), gr.State(name))
                    for name in STARTERS
                ]
    switches = gr.CheckboxGroup(
        [], label=words.finetune.gather.switch_classes, visible=False, interactive=True, elem_id="switches"
    )
    report = gr.HTML(f'<p class="hint">{words.finetune.gather.no_dataset}</p>', padding=False, elem_id="report")
    drop = gr.Button(words.finetune.gather.drop_pictures, size="sm", elem_id="drop-pictures")
    shown = [report, chosen, switches]
    raw = {**READ, "preprocess": False, "show_progress_on": report}
    reading = archive.upload(bind_slow(rooms, choose_archive), [ref, archive], shown, **raw)
    reading.failure(_empty, None, archive, **LIGHT)
    taking = uploads.upload(bind_slow(rooms, add_uploads), [ref, chosen, uploads], shown, **raw)
    taking.then(_empty, None, uploads, **LIGHT)
    recording = camera.stream(
        bind(rooms, record_frame),
        [ref, chosen, camera],
        recorded,
        preprocess=False,
        stream_every=_FRAME_EVERY_S,
        time_limit=_MAX_RECORDING_S,
        **LIGHT,  # it holds its place for as long as it runs
    ).then(bind(rooms, show_recorded), [ref, chosen], shown, **LIGHT)
    changes = [
        reading,
        taking,
        recording,
        archive.clear(bind(rooms, drop_pictures), ref, [ref, *shown], **LIGHT),
        drop.click(bind(rooms, drop_pictures), ref, [ref, *shown], **LIGHT),
        gr.on([add.click, new_class.submit], bind(rooms, make_class), [ref, new_class], [new_class, *shown], **LIGHT),
        rename.click(bind(rooms, name_class), [ref, chosen, new_class], shown, **LIGHT),
        remove.click(bind(rooms, drop_class), [ref, chosen], shown, **LIGHT),
        switches.input(bind(rooms, switch_classes), [ref, switches], shown, **LIGHT),
        *(
            button.click(bind_slow(rooms, choose_starter), [ref, name], shown, **{**READ, "show_progress_on": report})
            for button, name in starters
        ),
    ]
    return Gathering(shown, changes)


def _empty() -> None:
    """Take what was refused, or has been added, off the page, so that the page shows what is in use."""


def _replace(rooms: Rooms, ref: Ref, collection: Collection | None) -> list[Any]:
    session = rooms.sessions.find(ref)
    session.choose_collection(collection, rooms.settings)
    return show_collection(rooms, session)


def _edit(rooms: Rooms, ref: Ref, change: Callable[[Collection], Collection], *, chosen: str = "") -> list[Any]:
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


def _add(rooms: Rooms, ref: Ref, class_name: str | None, files: Sequence[Any]) -> list[Any]:
    name = class_name or ""
    add = partial(add_pictures, class_name=name, files=files, settings=rooms.settings)
    return _edit(rooms, ref, add, chosen=name)


def _draw_counts(words: Words, dataset: Dataset) -> str:
    splits = [split for split in Split if any(split in counts for counts in dataset.counts.values())]
    header = [
        words.finetune.gather.dataset_class,
        *(words.finetune.splits[split] for split in splits),
        words.finetune.gather.dataset_total,
    ]
    rows = [
        [name, *(counts.get(split, 0) for split in splits), sum(counts.values())]
        for name, counts in dataset.counts.items()
    ]
    title = words.finetune.gather.dataset_report.format(classes=len(dataset.class_names), count=len(dataset.samples))
    return f"<h4>{title}</h4>{draw_table(header, rows, css_class='counts')}"


def _draw_warnings(words: Words, report: DataReport) -> str:
    """Return what is to be known of the pictures before anything is learned from them."""
    separator, found = words.list_separator, []
    if report.small_classes:
        found.append(words.finetune.gather.warn_small.format(names=separator.join(report.small_classes)))
    if report.is_imbalanced:
        found.append(words.finetune.gather.warn_imbalance.format(times=report.imbalance))
    if report.num_near_duplicates:
        found.append(
            words.finetune.gather.warn_duplicates.format(count=report.num_near_duplicates, groups=report.num_groups)
        )
    if report.across_splits:
        pair = report.across_splits[0]
        found.append(
            words.finetune.gather.warn_across_splits.format(
                count=len(report.across_splits), first=pair.first.path, second=pair.second.path
            )
        )
    if report.across_classes:
        pair = report.across_classes[0]
        found.append(
            words.finetune.gather.warn_across_classes.format(
                count=len(report.across_classes),
                first=pair.first.path,
                second=pair.second.path,
                classes=f"{pair.first.class_name}{separator}{pair.second.class_name}",
            )
        )
    if report.split_by_picture:
        found.append(words.finetune.gather.warn_split_by_picture.format(names=separator.join(report.split_by_picture)))
    items = "".join(f"<li>{html.escape(each)}</li>" for each in found)
    return f'<ul class="warnings">{items}</ul>' if items else ""


def _draw_thumbnails(words: Words, collection: Collection) -> str:
    per_class = max(1, min(_MAX_THUMBNAILS, _MAX_ALL_THUMBNAILS // max(1, len(collection.classes))))
    rows = ""
    for each in collection.classes:
        pictures = "".join(
            draw_picture(picture.thumbnail, words.finetune.gather.thumbnail_alt.format(name=picture.path))
            for picture in each.pictures[:per_class]
        )
        state = "" if each.is_on else f" {words.finetune.gather.class_off}"
        rows += f'<div class="thumbnails"><b>{html.escape(each.name)} ({len(each.pictures)}){state}</b>{pictures}</div>'
    return rows


def _draw_skipped(words: Words, skipped: Sequence[Skipped]) -> str:
    if not skipped:
        return ""
    shown = skipped[-_MAX_SKIPPED_SHOWN:]
    items = "".join(f"<li>{html.escape(each.path)}: {html.escape(words.explain(each.reason))}</li>" for each in shown)
    more = len(skipped) - len(shown)
    rest = f"<li>{words.finetune.gather.skipped_more.format(count=more)}</li>" if more else ""
    title = words.finetune.gather.skipped.format(count=len(skipped))
    return f"<details><summary>{title}</summary><ul>{items}{rest}</ul></details>"
