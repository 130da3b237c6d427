"""The teacher's page: links to each step of the lesson and to places of the page, to copy or to show as QR codes."""

import html
import io
from typing import NamedTuple
from urllib.parse import urlsplit

import segno
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from demo.data.samples import EXAMPLES
from demo.data.starters import STARTERS
from demo.lesson.steps import STEPS, Step
from demo.models.recipe import HeadConfig, Optimizer, Recipe, lesson_recipe
from demo.ui.address import PANELS
from demo.ui.finetune.recipe_form import encode_recipe, write_recipe
from demo.words.language import Words
from demo.words.panel import PanelWords

_RECIPES = {
    "lesson": lesson_recipe(),
    "layers": Recipe(head=HeadConfig(hidden_layers=2)),
    "closed": Recipe(optimizer=Optimizer.RIDGE),
}
_MAX_LENGTH = 500  # characters of an address; a QR code of so many can still be read from a screen


class Link(NamedTuple):
    """A place of the page: what it is called, and the query of its address."""

    label: str
    query: str


def list_links(words: Words) -> dict[str, list[Link]]:
    """Return all places that a class may be sent to, by group."""
    steps, sets, photos = words.lesson.steps, words.finetune.gather.starters, words.predict.example_names
    train, look = "tab=finetune&panel=train&set=signs&recipe=", f"example={EXAMPLES[0].name}&tab=inside&panel="
    recipes = {name: encode_recipe(write_recipe(each)) for name, each in _RECIPES.items()}
    return {
        "lesson": [Link(f"{step.number}. {steps[step.name].title}", f"lesson={step.number}") for step in STEPS],
        "sets": [Link(sets[name], f"tab=finetune&panel=pictures&set={name}") for name in STARTERS],
        "recipes": [Link(words.teacher.recipes[name], train + recipe) for name, recipe in recipes.items()],
        "inside": [Link(_panel_words(words, panel).title, look + panel) for panel in PANELS["inside"]],
        "predict": [Link(title, f"panel={panel}") for panel, title in _name_folds(words).items()],
        "examples": [Link(photos[each.name], f"example={each.name}") for each in EXAMPLES],
        "views": [Link(words.teacher.projector, "view=projector")],
    }


def draw_links(words: Words, home: str, root: str) -> str:
    """Return the teacher's page as HTML.

    Args:
        words: Those of its language.
        home: The address of the page from it.
        root: The address of the server's root from it.
    """
    ours = words.teacher
    answers = [_draw_answer(words, step) for step in STEPS]
    parts = [f'<p>{ours.lead}</p><p role="alert" data-own-machine hidden>{ours.own_machine}</p>']
    for group, links in list_links(words).items():
        extra = answers if group == "lesson" else [""] * len(links)
        rows = "".join(_draw_link(words, home, link, more) for link, more in zip(links, extra, strict=True))
        parts.append(f'<h2>{ours.groups[group]}</h2><ul class="links">{rows}</ul>')
    told = f'data-code="{root}qr.svg?to=" data-alt="{html.escape(ours.code_alt)}" data-copied="{ours.copied}"'
    return f"<main {told}>{''.join(parts)}</main>"


async def send_code(request: Request) -> Response:
    """Send the QR code of an address of this page, as SVG; the page that asks says which addresses are."""
    address = request.query_params.get("to", "")
    here = urlsplit(request.headers.get("referer", "")).netloc
    if not here or urlsplit(address).netloc != here or len(address) > _MAX_LENGTH:
        return PlainTextResponse("Not found", 404)
    code = io.BytesIO()
    segno.make(address, micro=False).save(code, "svg", border=4, light="white", omitsize=True)
    return Response(code.getvalue(), media_type="image/svg+xml")


def _draw_link(words: Words, home: str, link: Link, more: str) -> str:
    ours, label, query = words.teacher, html.escape(link.label), html.escape(link.query)
    copy = f'<button type="button" data-copy aria-label="{ours.copy}: {label}">{ours.copy}</button>'
    code = f'<button type="button" data-qr aria-expanded="false" aria-label="{ours.code}: {label}">{ours.code}</button>'
    return f'<li><a href="{home}?{query}">{label}</a><span>{copy}{code}</span>{more}</li>'


def _draw_answer(words: Words, step: Step) -> str:
    said = words.lesson.steps[step.name]
    sources = ", ".join(f'<a href="{each.url}">{html.escape(each.name)}</a>' for each in step.sources)
    minutes = words.lesson.minutes.format(minutes=step.minutes)
    right, why = said.options[step.right], said.why
    answer = f"<summary>{words.teacher.answer}</summary><p><strong>{right}</strong></p><p>{why} ({sources})</p>"
    return f'<p class="hint">{said.question} ({minutes})</p><details>{answer}</details>'


def _name_folds(words: Words) -> dict[str, str]:
    ours = words.predict
    return {"history": ours.history.title, "side-by-side": ours.side_by_side.title, "closing": ours.closing.title}


def _panel_words(words: Words, panel: str) -> PanelWords:
    found: PanelWords = getattr(words.inside, panel.replace("-", "_"))
    return found
