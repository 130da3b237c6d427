"""How a page finds its session again: by the token in its tab, when it is loaded and when its connection is back."""

from typing import Any, NamedTuple

import gradio as gr

from demo.ui.handlers import Cost, costs, listen
from demo.ui.privacy import draw_time_left
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref

# sessionStorage belongs to one browser tab: it survives a reload, and at a shared computer the next pupil, in a
# new tab, does not find it. Where a browser forbids it the page works, and a reload begins anew.
READ_TOKEN = """async () => {
  document.documentElement.lang = %r; document.title = %r;
  let token = "";
  try { token = sessionStorage.getItem("demo-token") || "" } catch {}
  return [token, location.search, await demo.keepsake?.tell() ?? ""];
}"""
WRITE_TOKEN = """(token) => {
  try { sessionStorage.setItem("demo-token", token) } catch {}
  demo.begin();
}"""
# A script asks for it when the connection is back.
_RESUME = """demo.resume = () => trigger("click", {});"""
_RESUMED = "(is_over) => { demo.resumed?.(is_over); return [false] }"


class Resumed(NamedTuple):
    """What a page whose connection is back goes on with; it has to begin anew if its session `is_over`."""

    ref: Any
    time_left: Any
    is_over: Any


@costs(Cost.LIGHT)
def resume(rooms: Rooms, token: str, request: gr.Request) -> Resumed:
    """Let a page go on with its session, which counts it as open again."""
    sessions, ref = rooms.sessions, Ref(str(token or ""))
    if not sessions.seconds_left(ref):
        return Resumed(gr.skip(), gr.skip(), bool(ref.token))  # a page without a token has not begun yet
    session = sessions.attach(ref.token, page=request.session_hash or "")
    return Resumed(session.ref, draw_time_left(rooms, sessions.seconds_left(ref)), session.ref.token != ref.token)


def build_resume(rooms: Rooms, token: gr.Textbox, ref: gr.State, time_left: gr.HTML) -> None:
    """Wire it; the page is loaded anew where the session is over."""
    caller, is_over = gr.HTML("", padding=False, js_on_load=_RESUME, elem_id="resume"), gr.Checkbox(visible=False)
    resumed = listen(rooms, caller.click, resume, token, Resumed(ref, time_left, is_over))
    resumed.success(None, is_over, is_over, js=_RESUMED)
