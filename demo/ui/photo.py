"""The photograph that tabs 1 and 3 share, and the line that says what is seen in it."""

import html
from typing import Any

import gradio as gr

from demo.data.images import read_image
from demo.errors import NoImage
from demo.models.zoo import find_spec
from demo.tasks.predict import Prediction
from demo.ui.context import Context, uploaded_file
from demo.ui.sessions import Ref
from demo.ui.text import Words


def photo_input(words: Words, *, elem_id: str) -> gr.Image:
    """Return the component that takes a photograph; its events hand over the file, not the decoded picture."""
    return gr.Image(
        label=words.photo,
        alt_text=words.photo_alt,
        type="filepath",
        format="jpeg",
        sources=["upload", "webcam", "clipboard"],
        buttons=["fullscreen"],
        webcam_options=gr.WebcamOptions(mirror=False),
        height=300,
        elem_id=elem_id,
    )


def choose_photo(context: Context, ref: Ref, photo: dict[str, Any] | None) -> list[Any]:
    """Make an upload the photograph of all tabs, or take the photograph away where there is none any more."""
    session = context.sessions.find(ref)
    if photo is None:
        return [session.choose_photo(None), None]
    path, name = uploaded_file(photo, NoImage)
    picture = read_image(path, context.settings, name=name)
    return [session.choose_photo(picture), picture]


def keep_photo(context: Context, ref: Ref) -> Any:
    """Show the photograph in use again, after another one was refused."""
    return context.sessions.find(ref).photo


def answer_line(words: Words, prediction: Prediction | None) -> str:
    """Return one line of HTML: who answered what, how sure, and how fast; or what to do first."""
    if prediction is None:
        return f'<p class="hint">{words.no_photo}</p>'
    best = prediction.top[0]
    line = words.answer.format(
        backbone=find_spec(prediction.backbone_name).display_name,
        classes=words.answer_own if prediction.own_classes else words.answer_imagenet,
        best=html.escape(best.class_name),
        percent=100 * best.probability,
        milliseconds=1000 * prediction.seconds,
    )
    return f'<p class="answer" role="status">{line}</p>'
