"""The photograph that tabs 1 and 3 share: how it is brought or chosen, and what both tabs say of it then."""

from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.data.errors import NoImage
from demo.data.images import decode_image
from demo.data.samples import EXAMPLES, Example, find_example
from demo.ui.answer import answer_line, draw_answer
from demo.ui.handlers import Cost, costs
from demo.ui.parts.examples import address_of
from demo.ui.parts.picture import build_picture
from demo.ui.server.uploads import taken_file
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words

# To take a picture away is an input too, and to open the camera in its place; gradio then still sends the picture that
# was there. One that is brought has a path on the server, and is shown, on a slow phone after a moment.
_READ_PICTURE = """async (...values) => {
  const read = (isShown) => values.map((each) => (each?.meta && !(each.path && isShown) ? null : each));
  for (let tries = 0; tries < 15; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (document.querySelector("#%s img")) return read(true);
  }
  return read(false);
}"""


class Photos(NamedTuple):
    """The photograph in each tab that shows it."""

    predict: Any
    inside: Any


class Shown(NamedTuple):
    """What both tabs say of the photograph."""

    answer: Any
    inside: Any


class Chosen(NamedTuple):
    """What a photograph that is brought in one tab changes: the other tab's picture, its number, and what is said."""

    there: Any
    number: Any
    shown: Shown


def read_picture_script(picture: gr.Image) -> str:
    """Return the `js` of an event that a picture is sent to: it is None where the picture was taken away."""
    return _READ_PICTURE % str(picture.elem_id)


def photo_input(words: Words, *, elem_id: str) -> gr.Image:
    """Return the component that takes a photograph."""
    return build_picture(
        label=words.photo.label,
        alt_text=words.photo.alt,
        value=address_of(EXAMPLES[0]),
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
        session = rooms.sessions.find(ref)
        session.choose_photo(None)
        return Chosen(None, gr.skip(), show_photo(rooms, session))
    session, picture = take_photo(rooms, ref, photo)
    return Chosen(picture, session.photos.number, show_photo(rooms, session))


def take_photo(rooms: Rooms, ref: Ref, photo: dict[str, Any] | None) -> tuple[Session, Image.Image]:
    """Make an upload the photograph of a session, and return both.

    Raises:
        ImageError: If it cannot be read.
        NoImage: If there is none.
        SessionExpired: If the session is gone.
    """
    with taken_file(photo, NoImage) as (path, name):  # first, for it is to be deleted whatever happens
        session = rooms.sessions.find(ref)
        decoded = decode_image(path, rooms.settings, name=name)
        session.choose_photo(decoded.image, decoded.notes)
    return session, decoded.image


@costs(Cost.PREDICT)
def choose_example(rooms: Rooms, ref: Ref, name: str) -> tuple[Photos, Shown]:
    """Make an example the visitor's photograph."""
    session = rooms.sessions.find(ref)
    session.choose_example(find_example(name))
    return show_photos(session), show_photo(rooms, session)


@costs(Cost.LIGHT)
def keep_photo(rooms: Rooms, ref: Ref) -> Any:
    """Show the photograph that is kept in the place of a file that was refused, which is deleted."""
    return show_photos(rooms.sessions.find(ref)).predict


def show_photos(session: Session) -> Photos:
    """Return the photograph as both tabs show it; an example has an address that browsers keep."""
    photos = session.photos
    photo = address_of(photos.example) if photos.example else photos.photo
    return Photos(photo, photo)


def show_photo(rooms: Rooms, session: Session) -> Shown:
    """Ask the network in use once, and say what it makes of the photograph in both tabs; or that it is on its way."""
    if rooms.arrival.is_waking:
        return Shown(draw_answer(rooms, session, None), answer_line(rooms.words, None, is_waking=True))
    seen = rooms.see(session)
    return Shown(draw_answer(rooms, session, seen), answer_line(rooms.words, seen.prediction if seen else None))


def build_examples(words: Words, prefix: str) -> list[tuple[gr.Button, gr.State]]:
    """Lay out the row of examples; return a button for each, and the example's name."""
    known = [each for each in EXAMPLES if each.class_idxs]
    strange = [each for each in EXAMPLES if not each.class_idxs]
    with gr.Row(elem_classes="examples"):
        made = [_build_example(words, each, prefix) for each in known]
        gr.HTML(f"<p>{words.predict.no_word}</p>", padding=False, elem_classes="no-word")
        return made + [_build_example(words, each, prefix) for each in strange]


def _build_example(words: Words, example: Example, prefix: str) -> tuple[gr.Button, gr.State]:
    name, classes = words.predict.example_names[example.name], ["example", f"example-{example.name}"]
    button = gr.Button(name, min_width=0, elem_id=f"{prefix}{example.name}", elem_classes=classes)
    return button, gr.State(example.name)
