"""Pictures that are sent inside the answer, and stay of their kind."""

from pathlib import Path

import gradio as gr
import pytest
from PIL import Image

from demo.ui.parts import picture
from demo.ui.parts.picture import Picture, build_picture
from demo.ui.parts.values import read_event


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_a_picture_is_a_data_url(kind: str) -> None:
    sent = build_picture(format=kind).postprocess(Image.new("RGB", (4, 3)))
    assert sent is not None
    assert sent.path is None
    assert sent.url.startswith(f"data:image/{kind};base64,")
    assert build_picture(format=kind).postprocess(None) is None


def test_the_browser_shows_gradios_own_component() -> None:
    assert build_picture(format="png").get_block_name() == "image"


def test_a_changed_picture_is_still_of_its_kind() -> None:
    with gr.Blocks(analytics_enabled=False):
        component = build_picture(format="png", label="before")
    changed = component.__class__(**{**component.constructor_args, "label": "after", "render": False})
    assert isinstance(changed, Picture)
    assert (changed.label, changed.format, changed.type) == ("after", "png", "filepath")


def test_gradio_writes_no_stub_beside_the_class() -> None:
    assert not Path(picture.__file__).with_suffix(".pyi").exists()


@pytest.mark.parametrize(
    ("held", "text"), [({"pick": "0,1"}, "0,1"), ({}, "None"), (None, "None"), (3, "None"), ("pick", "None")]
)
def test_an_event_may_hold_anything(held: object, text: str) -> None:
    assert read_event(gr.EventData(None, held), "pick") == text
