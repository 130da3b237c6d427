"""Pictures on the page that need no file: they are sent inside the answer, and nothing of them stays behind."""

import base64
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from PIL import Image

from demo.ui.parts.markup import encode_jpeg, encode_png


def build_picture(**options: Any) -> gr.Image:
    """Return gradio's image component, which shows PIL images from a data URL.

    gradio itself writes each picture to its folder of temporary files, where anybody who has its address can fetch
    it. The component's properties are not to be changed by an event: gradio would make a new one of its own kind.

    Args:
        options: Those of `gr.Image`; `format` is "png" or "jpeg".
    """
    component = gr.Image(type="filepath", **options)
    encode = encode_png if options["format"] == "png" else encode_jpeg
    kind = f"image/{options['format']}"

    def postprocess(picture: Image.Image | None) -> ImageData | None:
        if picture is None:
            return None
        return ImageData(url=f"data:{kind};base64,{base64.b64encode(encode(picture)).decode()}")

    component.postprocess = postprocess
    return component
