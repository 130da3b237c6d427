"""What is light is called by the server's own thread; what computes is not."""

import threading
from typing import Any

import gradio as gr
import pytest

from demo.data.samples import find_example
from demo.ui.parts.picture import Picture
from tests.visitor import Visit


def test_a_thread_is_woken_for_what_computes_alone(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, str]] = []

    def note(kind: type[gr.components.Component]) -> None:
        plain = kind.postprocess

        def postprocess(self: Any, value: Any) -> Any:
            called.append((f"{kind.__name__} of {type(value).__name__}", threading.current_thread().name))
            return plain(self, value)

        monkeypatch.setattr(kind, "postprocess", postprocess)

    visitor = visit()
    note(Picture)
    note(gr.HTML)
    visitor.call("choose_example", "", of="example-cat")
    visitor.call("choose_photo", visitor.upload(find_example("cat").path))
    threads = {what: {name for each, name in called if each == what} for what, _ in called}
    assert set(threads) == {"Picture of str", "Picture of Image", "HTML of str"}
    loop = threads["HTML of str"]
    assert len(loop) == 1
    assert threads["Picture of str"] == loop
    assert not threads["Picture of Image"] & loop
