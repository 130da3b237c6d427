"""The last activation at each resolution, from the photograph up to the features."""

import gradio as gr

from demo.figures import draw_grid, draw_overlay
from demo.tasks.activations import capture_resolutions, mean_activation, rank_channels
from demo.ui.handlers import Cost, costs
from demo.ui.inside.panel import Paper, Subject, build_panel, draw_captioned, draw_figures, while_open
from demo.visitors.rooms import Rooms

PAPER = Paper("LeCun et al. 1998", "https://doi.org/10.1109/5.726791")
_NUM_MAPS, _SIDE_PX = 4, 224


@costs(Cost.COMPUTE)
@while_open(without_photo=str)
def draw_resolutions(rooms: Rooms, subject: Subject) -> str:
    """Return each resolution's mean activation and strongest channels as HTML."""
    words = rooms.words.inside.resolutions
    network_input = subject.backbone.draw_input(subject.photo)
    figures = []
    for each in capture_resolutions(subject.backbone, subject.photo):
        channels, height, width = each.values.shape
        size = {"height": height, "width": width}
        overlay = draw_overlay(mean_activation(each.values), network_input, side_px=_SIDE_PX)
        caption = words.caption.format(**size, channels=channels, name=each.name)
        grid = draw_grid(each.values[rank_channels(each.values, _NUM_MAPS)], side_px=_SIDE_PX // 2)
        figures += [
            draw_captioned(overlay, caption, words.overlay_alt.format(**size)),
            draw_captioned(grid, words.grid_alt.format(**size), words.grid_alt.format(**size)),
        ]
    return draw_figures(figures)


def build_resolutions(rooms: Rooms, ref: gr.State) -> gr.State:
    """Lay out the panel and wire it; return its revision."""
    with build_panel(rooms, ref, rooms.words.inside.resolutions, PAPER, elem_id="resolutions-panel") as panel:
        drawn = gr.HTML("", padding=False, elem_id="resolutions")
        panel.listen(panel.revision.change, draw_resolutions, [], drawn)
    return panel.revision
