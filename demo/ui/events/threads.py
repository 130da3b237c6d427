"""What of an event is so light that a thread of its own would cost more than it does."""

from typing import Any

import gradio as gr

# Components that pass on texts, numbers and choices. Pictures are encoded, files are copied: a thread does that.
_LIGHT = (
    gr.Button,
    gr.Checkbox,
    gr.CheckboxGroup,
    gr.Dropdown,
    gr.HTML,
    gr.JSON,
    gr.Number,
    gr.Radio,
    gr.Slider,
    gr.State,
    gr.Textbox,
)
_ASKED_ALWAYS = ("login_check", "compute_analytics_summary")  # gradio's; they find nothing to do here


def is_light(function: Any, arguments: tuple[Any, ...]) -> bool:
    """Say whether a function, or a method of a component, takes microseconds with these arguments.

    To wake another thread takes a fifth of a millisecond, and where others compute both threads wait for the lock of
    the interpreter.
    """
    name, owner = getattr(function, "__name__", ""), getattr(function, "__self__", None)
    if name not in ("preprocess", "postprocess"):
        return name in _ASKED_ALWAYS
    return isinstance(owner, _LIGHT) or (
        getattr(owner, "takes_addresses", False) and isinstance(arguments[0], str | None)
    )
