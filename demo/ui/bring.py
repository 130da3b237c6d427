"""A photograph that is pasted, or dropped anywhere on the page: a script hands it to a box that nobody sees."""

from typing import Any

import gradio as gr

from demo.ui.handlers import Cost, costs, listen
from demo.ui.photo import Photos, Shown, show_photo, take_photo
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref


@costs(Cost.PREDICT)
def bring_photo(rooms: Rooms, ref: Ref, photo: dict[str, Any] | None) -> tuple[Photos, Shown]:
    """Make a picture the photograph of all tabs."""
    session, picture = take_photo(rooms, ref, photo)
    return Photos(picture, picture), show_photo(rooms, session)


def build_bring(rooms: Rooms, ref: gr.State, outputs: tuple[Photos, Shown]) -> Any:
    """Lay out the box and wire it; return the event."""
    with gr.Column(elem_id="bring"):
        photo = gr.UploadButton(" ", file_types=["image"])
    options: dict[str, Any] = {"preprocess": False, "show_progress": "hidden"}
    return listen(rooms, photo.upload, bring_photo, [ref, photo], outputs, **options)
