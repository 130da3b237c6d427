"""With everything open that can be opened and a trained head: axe-core finds nothing serious, and terms are marked."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from demo.ui.parts.glossary import PLACES, tell_glossary
from demo.words.language import CHINESE, ENGLISH, Words
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.everything import TABS, show_each, show_theme, teach, unfold
from tests.pictures import MakeZip, colour_folders, encode, noise

BOTH = pytest.mark.parametrize(("path", "words"), [("/", ENGLISH), ("/zh", CHINESE)], ids=["en", "zh"])
# The tab in which each term stands: that of fine-tuning leads to where it is done, and stands where it is compared.
SEEN_IN = {term: tab for term, (tab, _) in PLACES.items()} | {"fine_tuning": "inside"}
# Each text in sight that can be underlined, in order: its tab or panel, the text, and the term that it is marked as.
TEXTS = """() => {
  const unmarked = "button, a, summary, select, textarea, code, pre, svg, script, style, .bars, #glossary, "
    + "label:has([type=radio], [type=checkbox])";
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const parent = texts.currentNode.parentElement;
    if (parent.closest(unmarked)) continue;
    if (!parent.checkVisibility({visibilityProperty: true})) continue;
    const panel = parent.closest("[role=tabpanel]");
    found.push([panel?.id ?? "", texts.currentNode.data, parent.closest(".term")?.dataset.term ?? ""]);
  }
  return found;
}"""
# What a tab shows stands beside the buttons of all that are open in its place.
AXE_RUN = "([options, opened]) => axe.run(document.getElementById(opened)?.closest('.tabs') ?? document, options)"


def find_missing(page: Any, words: Words) -> tuple[list[str], set[str]]:
    """Return what stands in its first place without an underline, and all terms in sight."""
    told, known, missing = tell_glossary(words), set[tuple[str, str]](), list[str]()
    for panel, text, marked in page.evaluate(TEXTS):
        for match in re.findall(told["pattern"], text, re.IGNORECASE):
            term = told["names"][match.lower()]
            if (panel, term) not in known and marked != term:
                missing.append(f"{panel}: {match} in {text!r}")
            known.add((panel, term))
    return missing, {term for _, term in known}


def violations(page: Any, rules: Sequence[str] = (), opened: str = "") -> list[str]:
    """Return what axe-core finds serious or critical.

    Args:
        page: An open page, in which the script of axe-core is.
        rules: By which to look; by all unless given.
        opened: The id of the button of a tab: only that tab and its neighbours' buttons are new; else the whole page.

    Returns:
        Of each violation its rule, the element, and why.
    """
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = page.evaluate(AXE_RUN, [options, opened])["violations"]
    return [
        f"{each['id']}: {' '.join(map(str, node['target']))}: {node.get('failureSummary', '')}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    ("path", "words"),
    [pytest.param("/", ENGLISH, id="en"), pytest.param("/zh", CHINESE, id="zh", marks=pytest.mark.ways)],
)
def test_all_can_be_read_and_every_term_is_underlined_in_its_first_place(
    open_page: OpenPage, make_zip: MakeZip, path: str, words: Words, tab: str
) -> None:
    page = open_page(path, reduced_motion="reduce")
    teach(page, make_zip(colour_folders(12)))
    page.evaluate(AXE_SCRIPT)
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for shown, opened in show_each(page, tab):
        unfold(page)
        missing, terms = find_missing(page, words)
        found[f"{shown}, light"] = [*missing, *violations(page, opened=opened)]
        seen |= terms
        if words is ENGLISH:  # the colours are those of the Chinese page
            show_theme(page, "dark")
            found[f"{shown}, dark"] = violations(page, ["color-contrast"], opened)
            show_theme(page, "light")
    bad = {shown: each for shown, each in found.items() if each}
    assert not bad, "\n".join(f"{shown}: {each}" for shown, all_of in bad.items() for each in all_of)
    assert {term for term, place in SEEN_IN.items() if place == tab} - seen == set()


@pytest.mark.slow
@BOTH
def test_gradios_labels_are_in_the_language_of_the_page(open_page: OpenPage, path: str, words: Words) -> None:
    page = open_page(path)
    page.wait_for_selector(f"#predict-photo button[aria-label='{words.gradio['Upload file']}']")
    page.wait_for_function("(text) => document.querySelector('.skip').textContent === text", arg=words.look.skip)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "predict-tab"


@pytest.mark.slow
def test_a_projector_shows_larger_type_on_the_whole_width(open_page: OpenPage) -> None:
    page = open_page("/?view=projector", {"width": 1920, "height": 1080})
    size = "parseFloat(getComputedStyle(document.querySelector('header p')).fontSize)"
    assert page.evaluate(size) >= 24
    assert page.evaluate("document.querySelector('.gradio-container').offsetWidth") == 1920
    page.wait_for_selector("#projector[aria-pressed=true]")
    page.click("#projector")
    page.wait_for_selector("#projector[aria-pressed=false]")
    assert page.evaluate(size) < 18
    assert page.evaluate("document.documentElement.scrollWidth") <= 1920


@pytest.mark.slow
def test_a_phone_sees_that_a_wide_table_goes_on(open_page: OpenPage, make_zip: MakeZip) -> None:
    page = open_page(viewport=PHONE)
    pictures = {f"a class, number {at % 7}/{at}.png": encode(noise(at)) for at in range(56)}
    teach(page, make_zip(pictures))
    region = page.locator(".wide:has(.confusion)")
    page.wait_for_selector(".wide.more-right[tabindex='0']:has(.confusion)")
    first = region.locator("tbody th").first
    before = first.bounding_box()
    region.evaluate("(each) => { each.scrollLeft = each.scrollWidth }")
    page.wait_for_selector(".wide.more-left:not(.more-right):has(.confusion)")
    assert first.bounding_box()["x"] == before["x"]  # the first column stays
