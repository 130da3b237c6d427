"""The closing question in tab 1: what pretrained networks and large models have to do with each other."""

import gradio as gr

from demo.models.zoo import ZOO
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_link, draw_way, draw_wide
from demo.visitors.rooms import Rooms
from demo.words.language import Words

# Where each row's figures are from: the name of the model with its year, and the paper.
SOURCES = {
    "resnet50": ("ResNet-50 (2015)", ZOO["resnet50"].paper),
    "vit": ("ViT-H/14 (2020)", "https://arxiv.org/abs/2010.11929"),
    "clip": ("CLIP ViT-L/14 (2021)", "https://arxiv.org/abs/2103.00020"),
    "bert": ("BERT-large (2018)", "https://arxiv.org/abs/1810.04805"),
    "gpt3": ("GPT-3 (2020)", "https://arxiv.org/abs/2005.14165"),
    "instructgpt": ("InstructGPT (2022)", "https://arxiv.org/abs/2203.02155"),
}
# Whose findings a thought rests on, beside those of the table.
THOUGHT_SOURCES = {
    "chat": ("OpenAI 2022", "https://openai.com/index/chatgpt/"),
    "limits": ("Kornblith et al. 2019", "https://arxiv.org/abs/1805.08974"),
}
WAYS = {
    "general": "?tab=finetune&panel=experiments",
    "customers": "?tab=finetune&panel=experiments",
    "inside": "?tab=inside&panel=erase",
}


@costs(Cost.LIGHT)
def show_closing(rooms: Rooms) -> str:
    """Draw the answer, which the page need not bring along before it is opened."""
    return draw_closing(rooms.words)


def draw_closing(words: Words) -> str:
    """Return the answer in short, models side by side as a table, and what follows from it."""
    told = words.predict.closing
    thoughts = "".join(_draw_thought(words, name) for name in told.headings)
    return f'<p class="answer">{told.answer}</p>{_draw_models(words)}<div class="designs">{thoughts}</div>'


def build_closing(rooms: Rooms) -> None:
    """Lay out the fold and wire it."""
    with gr.Accordion(rooms.words.predict.closing.title, open=False, elem_id="closing") as fold:
        drawn = gr.HTML("", padding=False, elem_id="closing-answer")
    listen(rooms, fold.expand, show_closing, None, drawn)


def _draw_thought(words: Words, name: str) -> str:
    told = words.predict.closing
    source = f" ({draw_link(*THOUGHT_SOURCES[name])})" if name in THOUGHT_SOURCES else ""
    way = f" {draw_way(WAYS[name], told.tries[name])}" if name in WAYS else ""
    return f"<section><h3>{told.headings[name]}</h3><p>{told.thoughts[name]}{source}{way}</p></section>"


def _draw_models(words: Words) -> str:
    told = words.predict.closing
    own = ZOO["resnet50"].facts.num_parameters / 1e6
    rows = "".join(
        f"<tr><th>{draw_link(*source)}</th><td>{told.data[name]}</td>"
        f"<td>{told.parameters[name].format(millions=own)}</td><td>{told.adapted[name]}</td></tr>"
        for name, source in SOURCES.items()
    )
    header = "".join(f"<th>{title}</th>" for title in told.columns)
    table = f'<table class="history"><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>'
    return draw_wide(table, told.title)
