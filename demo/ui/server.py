"""gradio's server under the page: how it is launched, and what of its bookkeeping is left out."""

import os
import threading
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

from demo.data.samples import EXAMPLES, read_example
from demo.models.weights import usable_backbone
from demo.tasks.activations import capture_stages
from demo.ui.context import Context
from demo.ui.style import css, theme

MAX_FILE_SIZE = "64mb"  # above our own limits, so that our own sentences are heard first

# After every event gradio sums up all events so far with pandas, for a monitoring page that is not shown here.
_NO_EVENT_STATISTICS = {"GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**9), "GRADIO_ANALYTICS_MAX_EVENTS": "1"}


class LeanSession(SessionState):
    """gradio's state of one visit, without a description of every component of the page.

    gradio makes that description for deep links, which this page has none of. It costs each new visitor, and each
    call of the API, a third of a megabyte and 25 ms in which nobody else is answered.
    """

    def __init__(self, blocks: gr.Blocks) -> None:
        nothing_to_describe: Any = SimpleNamespace(default_config=blocks.default_config, blocks={})
        super().__init__(nothing_to_describe)


class LeanSessions(StateHolder):
    """gradio's states of all visits, each a LeanSession."""

    def __getitem__(self, session_id: str) -> SessionState:
        """Return the state of a visit, a new one where there is none."""
        if session_id not in self.session_data:
            self.session_data[session_id] = LeanSession(self.blocks)
        return super().__getitem__(session_id)


def launch(page: gr.Blocks, context: Context, *, wait: bool = True, **options: Any) -> str:
    """Open the page, then load the default network behind it.

    Args:
        page: What `build_page` returned.
        context: What it was built with.
        wait: Whether to stay until the process is interrupted.
        options: More of gradio's own: port, share, ...

    Returns:
        The local address of the page.
    """
    os.environ |= _NO_EVENT_STATISTICS
    _, url, _ = page.queue(max_size=200, api_open=False).launch(
        prevent_thread_lock=True,
        theme=theme(),
        css=css(),
        max_threads=200,
        max_file_size=MAX_FILE_SIZE,
        footer_links=["api"],
        run_history=False,
        ssr_mode=False,
        **options,
    )
    page.app.state_holder = LeanSessions()
    page.app.state_holder.set_blocks(page)
    context.sessions.keep_swept()
    threading.Thread(target=_warm_up, args=(context,), name="warm-up", daemon=True).start()
    if wait:
        page.block_thread()
    return str(url)


def _warm_up(context: Context) -> None:
    """Pay what the first visitor would pay: load and run a network once; then fetch the preferred one."""
    with context.backbones.lend(usable_backbone(context.settings.backbone)) as backbone:
        capture_stages(backbone, read_example(EXAMPLES[0], context.settings))
    context.arrival.run()
