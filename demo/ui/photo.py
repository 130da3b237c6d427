"""The photograph that tabs 1 and 3 share, and the line that says what is seen in it."""

import html
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.data.errors import NoImage
from demo.data.images import read_image
from demo.models.zoo import find_spec
from demo.tasks.predict import Prediction
from demo.ui.handlers import Cost, costs
from demo.ui.parts.outputs import unchanged
from demo.ui.parts.picture import build_picture
from demo.ui.server.uploads import taken_file
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.language import Words

# To take a picture away is an input too, but gradio still sends the picture that was there, so the script looks whether
# one is shown. A slow phone may take a moment to show a new one.
_READ_PICTURE = """async (...values) => {
  for (let tries = 0; tries < 15; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (document.querySelector("#%s img")) return values;
  }
  return [...values.slice(0, -1), null];
}"""


class Photos(NamedTuple):
    """The photograph in each tab that shows it."""

    predict: Any
    inside: Any


class Chosen(NamedTuple):
    """What a photograph that is brought in one tab changes: the session, the other tab's picture, and its number."""

    ref: Any
    there: Any
    number: Any


def read_picture_script(picture: gr.Image) -> str:
    """Return the `js` of an event whose last input is a picture: it is None where the picture was taken away."""
    return _READ_PICTURE % str(picture.elem_id)


def photo_input(words: Words, *, elem_id: str) -> gr.Image:
    """Return the component that takes a photograph."""
    return build_picture(
        label=words.photo.label,
        alt_text=words.photo.alt,
        format="jpeg",
        sources=["upload", "webcam", "clipboard"],
        buttons=["fullscreen"],
        webcam_options=gr.WebcamOptions(mirror=False),
        height=300,
        elem_id=elem_id,
    )


@costs(Cost.PREDICT)
def choose_photo(rooms: Rooms, ref: Ref, photo: dict[str, Any] | None) -> Chosen:
    """Make an upload the photograph of all tabs, or take the photograph away where there is none any more."""
    if photo is None:
        return unchanged(Chosen)._replace(ref=rooms.sessions.find(ref).choose_photo(None), there=None)
    with taken_file(photo, NoImage) as (path, name):  # first, for it is to be deleted whatever happens
        session = rooms.sessions.find(ref)
        picture = read_image(path, rooms.settings, name=name)
    return Chosen(session.choose_photo(picture), picture, session.photos.number)


@costs(Cost.LIGHT)
def keep_photo(rooms: Rooms, ref: Ref) -> Image.Image | None:
    """Show the photograph that is kept in the place of a file that was refused, which is deleted."""
    return rooms.sessions.find(ref).photos.photo


def answer_line(words: Words, prediction: Prediction | None) -> str:
    """Return one line of HTML: who answered what, how sure, and how fast; or what to do first."""
    if prediction is None:
        return f'<p class="hint">{words.photo.missing}</p>'
    best = prediction.top[0]
    line = words.photo.answer.format(
        backbone=find_spec(prediction.backbone_name).display_name,
        classes=words.photo.answer_own if prediction.own_classes else words.photo.answer_imagenet,
        best=html.escape(best.class_name),
        percent=100 * best.probability,
        milliseconds=1000 * prediction.seconds,
    )
    return f'<p class="answer" role="status">{line}</p>'
