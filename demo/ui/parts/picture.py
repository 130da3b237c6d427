"""Pictures on the page that need no file: they are sent inside the answer, and nothing of them stays behind."""

import base64
from abc import ABCMeta
from typing import Any

import gradio as gr
from PIL import Image

from demo.ui.parts.markup import encode_jpeg, encode_png
from demo.ui.server.internals import ComponentMeta, ImageData


class WithoutStub(ComponentMeta):
    """Makes a component as gradio does, but for the .pyi file that it writes beside it, which mypy would believe."""

    def __new__(cls, *definition: Any) -> Any:
        """Make a component's class."""
        return ABCMeta.__new__(cls, *definition)


class Picture(gr.Image, metaclass=WithoutStub):
    """gradio's image component, which shows PIL images from a data URL, and examples from their own address.

    gradio itself writes each picture to its folder of temporary files, where anybody who has its address can fetch it.
    """

    is_template = True  # the browser shows it as gradio's own
    takes_addresses = True  # a text as its value is passed on

    def postprocess(self, value: Image.Image | str | None) -> ImageData | None:
        """Return a picture, or its address below the page's own, as what the browser is sent."""
        if value is None or isinstance(value, str):
            return ImageData(url=value) if value else None
        encode = encode_png if self.format == "png" else encode_jpeg
        return ImageData(url=f"data:image/{self.format};base64,{base64.b64encode(encode(value)).decode()}")


def build_picture(**options: Any) -> Picture:
    """Return a picture; the options are those of `gr.Image`, of which `format` is "png" or "jpeg"."""
    return Picture(type="filepath", **options)
