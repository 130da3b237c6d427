"""How sure the network in use is of the examples, and whether it is right."""

import html
from collections.abc import Sequence

import gradio as gr

from demo.models.zoo import find_spec
from demo.tasks.exhibits import Exhibit
from demo.tasks.sureness import MEASURED
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_table
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.language import Words


@costs(Cost.COMPUTE)
def show_sureness(rooms: Rooms, ref: Ref) -> str:
    """Show what the network in use says of the examples."""
    name = rooms.sessions.find(ref).state.backbone_name
    with rooms.backbones.lend(name) as backbone:
        exhibits = rooms.exhibits.all(backbone, rooms.settings)
    return draw_sureness(rooms.words, find_spec(name).display_name, exhibits)


def draw_sureness(words: Words, display_name: str, exhibits: Sequence[Exhibit]) -> str:
    """Return a network's answers as a table."""
    ours, names = words.predict.sureness, words.predict.example_names
    verdicts = {True: ours.right, False: ours.wrong, None: ours.no_class}
    rows = [
        (
            names[each.example.name],
            words.class_name(best.class_idx, best.class_name),
            f"{100 * best.probability:.0f}%",
            verdicts[each.is_right],
        )
        for each in exhibits
        for best in each.prediction.top[:1]
    ]
    return f"<h3>{html.escape(display_name)}</h3>{draw_table(ours.columns, rows, css_class='counts')}"


def build_sureness(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel; it is filled for the network in use whenever it is opened."""
    words = rooms.words.predict.sureness
    measured = words.measured.format(
        network=find_spec(MEASURED.backbone_name).display_name,
        count=MEASURED.count,
        right=MEASURED.right,
        percent=100 * MEASURED.right / MEASURED.count,
        mean=100 * MEASURED.mean,
        measured_on=MEASURED.measured_on,
    )
    with gr.Accordion(words.title, open=False, elem_id="sureness") as accordion:
        gr.HTML(f'<p class="hint">{words.help}</p>', padding=False)
        table = gr.HTML("", padding=False, elem_id="sureness-table")
        gr.HTML(f'<p class="hint">{measured} {words.why}</p>', padding=False)
    listen(rooms, accordion.expand, show_sureness, ref, table)
