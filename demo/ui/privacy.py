"""What the page promises about what visitors bring, how long it is still there, and the button that ends it."""

import html
import json
from contextlib import suppress

import gradio as gr

from demo.settings import Settings
from demo.ui.handlers import Cost, costs, listen
from demo.visitors.errors import SessionExpired
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.language import Words

# The page counts the minutes itself, from its last request on, and asks the server once they are over: a page that
# asked every minute would lose its connection, and with it what is open on it, in every gap of a weak Wi-Fi.
_COUNT_DOWN = """
let shown = null, asked = null, since = 0, last = 0;
const tick = () => {
  const line = element.querySelector("[data-left]");
  if (!line) return;
  if (line !== shown) { shown = line; since = Date.now(); }
  if (Date.now() < last) { window.demoUsed = 0; trigger("click", {}); } // the clock was put back: the server knows
  last = Date.now();
  const used = window.demoUsed || 0;
  const until = used > since ? used + 1000 * line.dataset.idle : since + 1000 * line.dataset.left;
  const minutes = Math.max(0, Math.ceil((until - Date.now()) / 60000));
  line.querySelector("b").textContent = minutes;
  if (minutes === 0 && asked !== line) { asked = line; trigger("click", {}); }
};
setInterval(tick, 5000);
"""

_ASK = "(ref, is_sure) => [ref, confirm(%s)]"
_BEGIN_ANEW = """async (is_sure) => {
  if (is_sure) { await demo.keepsake?.forget(); location.reload(); }
  return [is_sure];
}"""


@costs(Cost.LIGHT)
def forget(rooms: Rooms, ref: Ref, is_sure: bool) -> bool:
    """End the visitor's session, with everything in it, at once."""
    if is_sure:
        with suppress(SessionExpired):
            rooms.keepsakes.forget_session(rooms.sessions.find(ref))
        rooms.sessions.end(ref.token)
    return is_sure


@costs(Cost.LIGHT)
def tell_left(rooms: Rooms, ref: Ref) -> str:
    """Say how long the session lives on if nobody uses it; to ask is no use of it."""
    return draw_time_left(rooms, rooms.sessions.seconds_left(ref))


def draw_time_left(rooms: Rooms, seconds_left: float) -> str:
    """Return how long a session lives on, as HTML, or that it is over."""
    words, idle_s = rooms.words.privacy, rooms.settings.session_idle_s
    if seconds_left <= 0:
        return f'<p class="session over" role="alert">{html.escape(words.over)}</p>'
    left = words.left.format(minutes=round(seconds_left / 60))
    return f'<p class="session" data-left="{seconds_left:.0f}" data-idle="{idle_s:.0f}">{left}</p>'


def draw_promise(words: Words, settings: Settings) -> str:
    """Return what is promised, with the minutes that the settings say."""
    minutes = {
        "idle": round(settings.session_idle_s / 60),
        "closed": round(settings.session_closed_s / 60),
        "unread": round(settings.unread_upload_s / 60),
    }
    sentences = [sentence.format(**minutes) for sentence in words.privacy.promise.values()]
    if settings.engine:
        sentences.insert(2, words.privacy.engine)  # after where they are
    items = "".join(f"<li>{sentence}</li>" for sentence in sentences)
    return f"<details><summary>{words.privacy.promise_title}</summary><ul>{items}</ul></details>"


def build_privacy(rooms: Rooms, ref: gr.State) -> gr.HTML:
    """Lay out the end of the page and wire it; return what says how long the session lives."""
    words = rooms.words.privacy
    is_sure = gr.Checkbox(visible=False)
    with gr.Column(elem_id="privacy"):
        gr.HTML(f"<p>{words.yours}</p>", padding=False)
        time_left = gr.HTML(
            draw_time_left(rooms, rooms.settings.session_idle_s),
            padding=False,
            js_on_load=_COUNT_DOWN,
            elem_id="session-line",
        )
        button = gr.Button(words.forget, size="sm", elem_id="forget")
        gr.HTML(draw_promise(rooms.words, rooms.settings), padding=False, elem_id="promise")
    listen(rooms, time_left.click, tell_left, ref, time_left)
    ask = _ASK % json.dumps(words.forget_sure)
    listen(rooms, button.click, forget, (ref, is_sure), is_sure, js=ask).success(None, is_sure, is_sure, js=_BEGIN_ANEW)
    return time_left
