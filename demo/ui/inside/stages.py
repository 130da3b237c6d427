"""All stages on demand: the last activation at each resolution."""

import gradio as gr

from demo.figures import draw_grid, draw_overlay
from demo.tasks.activations import capture_resolutions, mean_activation, rank_channels
from demo.ui.handlers import bind_slow
from demo.ui.inside.panel import DRAW, Paper, build_panel, draw_figures, draw_shown, look_into, say_no_photo
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref

PAPER = Paper("LeCun et al. 1998", "https://doi.org/10.1109/5.726791")
_NUM_MAPS, _SIDE_PX = 4, 224


def draw_resolutions(rooms: Rooms, ref: Ref, shown: int | None) -> str:
    """Return each resolution's mean activation and strongest channels as HTML."""
    session = rooms.sessions.find(ref)
    with look_into(rooms, session, shown) as look:
        if look is None:
            return gr.skip() if shown is None else say_no_photo(rooms.words)
        resolutions = capture_resolutions(look.backbone, look.photo)
        network_input = look.backbone.draw_input(look.photo)
    words = rooms.words.inside.stages
    rows = []
    for each in resolutions:
        channels, height, width = each.values.shape
        size = {"height": height, "width": width}
        overlay = draw_overlay(mean_activation(each.values), network_input, side_px=_SIDE_PX)
        caption = words.caption.format(**size, channels=channels, name=each.name)
        grid = draw_grid(each.values[rank_channels(each.values, _NUM_MAPS)])
        rows += [
            draw_shown(overlay, caption, words.overlay_alt.format(**size)),
            draw_shown(grid, words.grid_alt.format(**size), words.grid_alt.format(**size)),
        ]
    return draw_figures(rows)


def build_stages(rooms: Rooms, ref: gr.State) -> gr.State:
    """Lay out the panel and wire it; return its state."""
    with build_panel(rooms, ref, rooms.words.inside.stages, PAPER, elem_id="stages-panel") as (_, shown):
        drawn = gr.HTML("", padding=False, elem_id="resolutions")
        shown.change(
            bind_slow(rooms, draw_resolutions),
            [ref, shown],
            drawn,
            **DRAW,
        )
    return shown
