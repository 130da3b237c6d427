"""The colours change places: does a head that was trained on the meadow know the creature, or the ground?"""

import html
from typing import Any

import gradio as gr

from demo.tasks.evaluate import Accuracy
from demo.tasks.swap import Swapped, judge_swapped
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import PICK_SCRIPT, draw_figure, draw_picture, draw_table, encode_jpeg
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Trained
from demo.words.language import Words

_SHOWN = 8  # swapped pictures


@costs(Cost.COMPUTE)
def swap_colours(rooms: Rooms, ref: Ref) -> Any:
    """Ask the head about the same creatures on swapped grounds."""
    trained = rooms.sessions.find(ref).results
    if trained is None:
        return gr.skip()
    with rooms.backbones.lend(trained.head.backbone_name) as shared:
        backbone = shared.for_head(trained.head)
        swapped = judge_swapped(trained.head, backbone, trained.dataset, trained.features, rooms.settings)
    return draw_offer(rooms.words, trained) + draw_swapped(rooms.words, swapped, trained.head.class_names)


def draw_offer(words: Words, trained: Trained | None) -> str:
    """Return the offer to swap the colours; "" unless the head learned from the meadow."""
    if trained is None or trained.dataset.source != "meadow":
        return ""
    ours = words.finetune.swap
    button = f'<button type="button" class="next" id="swap-colours" data-pick="swap">{ours.start}</button>'
    return f'<h3>{ours.title}</h3><p class="help">{ours.help}</p><p>{button}</p>'


def draw_swapped(words: Words, swapped: Swapped, class_names: tuple[str, ...]) -> str:
    """Return how many are right before and after, what that says, and some of the pictures."""
    ours = words.finetune.swap
    rows = [
        _row(name, each) for name, each in zip(ours.rows, (swapped.before, swapped.after, swapped.mixed), strict=True)
    ]
    sentence = (ours.shortcut if swapped.is_shortcut else ours.no_shortcut).format(
        before=swapped.before.correct,
        after=swapped.after.correct,
        mixed=swapped.mixed.correct,
        count=swapped.after.count,
    )
    step = max(1, len(swapped.pictures) // _SHOWN)  # of all classes, by which the pictures are ordered
    figures = ""
    for each in swapped.pictures[::step][:_SHOWN]:
        names = {"truth": class_names[each.class_idx], "answer": class_names[each.answer_idx]}
        caption = ours.caption.format(**names)
        figures += draw_figure(draw_picture(encode_jpeg(each.picture), caption), caption)
    table = draw_table(ours.columns, rows, css_class="counts")
    return f'<p>{html.escape(sentence)}</p>{table}<div class="figures">{figures}</div>'


def build_swap(rooms: Rooms, ref: gr.State) -> gr.HTML:
    """Lay out the place of the offer and of what came out, and wire it."""
    place = gr.HTML("", padding=False, js_on_load=PICK_SCRIPT, elem_id="swapped")
    listen(rooms, place.click, swap_colours, ref, place, reveals=place)
    return place


def _row(name: str, accuracy: Accuracy) -> tuple[str, str, str]:
    return name, f"{accuracy.correct}/{accuracy.count}", f"{100 * accuracy.share:.1f}%"
