"""What is printed, and what a class is sent to: documents without gradio."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from demo.lesson.steps import STEPS
from demo.ui.papers.quiz import QUESTIONS
from demo.words.language import CHINESE, ENGLISH, Words
from tests.browser.conftest import LAPTOP, PHONE, OpenPage
from tests.browser.test_axe import violations
from tests.conftest import names_to_try
from tests.pictures import MakeZip, encode, noise
from tests.served import Server
from tests.visitor import Visitor, recipe_values

_CATCH_PRINT = "window.print = () => { top.printed = `<!doctype html>${document.documentElement.outerHTML}`; };"
LANGUAGES = pytest.mark.parametrize(("path", "words"), [("/", ENGLISH), ("/zh", CHINESE)], ids=["en", "zh"])


def count_sheets(page: Any, file: Path) -> int:
    """Print a page, and return how many sheets of A4 that takes."""
    page.pdf(path=file, prefer_css_page_size=True)
    content = file.read_bytes()
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert {(round(float(width)), round(float(height))) for width, height in sizes} == {(595, 842)}  # points
    return len(re.findall(rb"/Type\s*/Page\b", content))


@pytest.fixture
def open_paper(chromium: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """Open a document, which may break no policy of its own."""
    contexts: list[Any] = []
    said: list[str] = []

    def open_one(path: str, viewport: dict[str, int] = LAPTOP) -> Any:
        contexts.append(chromium.new_context(viewport=viewport))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.goto(server.url + path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not said


@LANGUAGES
def test_the_quiz_is_answered_by_the_keyboard(open_paper: Callable[..., Any], path: str, words: Words) -> None:
    page = open_paper(f"{path.rstrip('/')}/quiz", PHONE)
    score, reasons = page.locator(".score [role=status]"), page.locator(".question [role=status]")
    assert score.inner_text() == words.quiz.progress.format(answered=0, count=len(QUESTIONS))
    for number, said in enumerate(words.quiz.questions.values()):
        wanted = said.options[number < 3]  # three wrong answers, then right ones
        page.locator(".question").nth(number).locator("button").first.press("Shift+Tab")
        while page.evaluate("document.activeElement.textContent") != wanted:
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        first = words.quiz.wrong.format(option=said.options[0]) if number < 3 else words.quiz.right
        assert reasons.nth(number).inner_text().startswith(first)
        assert page.evaluate("document.activeElement.textContent") == wanted  # the focus stays
        page.keyboard.press("Enter")  # the first answer counts
    assert score.inner_text() == words.quiz.score.format(right=len(QUESTIONS) - 3, count=len(QUESTIONS))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name=words.quiz.again).press("Enter")
    page.wait_for_selector(".question.answered", state="detached")


@pytest.mark.slow
@LANGUAGES
def test_the_worksheet_is_two_sheets(
    open_paper: Callable[..., Any], screenshots: Path, path: str, words: Words
) -> None:
    page = open_paper(f"{path.rstrip('/')}/worksheet", PHONE)
    assert page.locator(".worksheet section").count() == len(STEPS)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert count_sheets(page, screenshots / f"worksheet-{words.language}.pdf") == 2


@LANGUAGES
def test_a_link_of_the_teacher_is_copied_and_shown_as_a_code(
    open_paper: Callable[..., Any], server: Server, path: str, words: Words
) -> None:
    page = open_paper(f"{path.rstrip('/')}/teacher", PHONE)
    row, ours, address = page.locator(".links li").nth(2), words.teacher, f"{server.url}{path}?lesson=3"
    code = row.locator("[data-qr]")
    code.press("Enter")
    image = row.get_by_role("img", name=ours.code_alt.format(address=address))
    image.wait_for()
    image.evaluate("(image) => image.decode()")  # rejected where the code cannot be drawn
    assert row.locator("figcaption").inner_text() == address
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    code.press("Enter")
    image.wait_for(state="detached")
    row.locator("[data-copy]").press("Enter")
    assert row.locator("[data-copy]").inner_text() == ours.copied
    assert page.get_by_role("alert").inner_text() == ours.own_machine  # it was opened as 127.0.0.1
    field = page.evaluate_handle("document.querySelector('main').appendChild(document.createElement('textarea'))")
    field.focus()
    page.keyboard.press("Control+V")
    assert field.input_value() == address


@LANGUAGES
@pytest.mark.parametrize("name", names_to_try(["teacher", "worksheet", "quiz"], slow=["teacher", "worksheet"]))
def test_nothing_serious_is_found_in_a_document(
    open_paper: Callable[..., Any], path: str, words: Words, name: str
) -> None:
    page = open_paper(f"{path.rstrip('/')}/{name}")
    for question in page.locator(".question").all():
        question.locator("button").first.click()
    page.evaluate(AXE_SCRIPT)
    assert page.title() and not violations(page), words.language


@pytest.mark.ways
@pytest.mark.slow
def test_the_report_of_as_many_classes_as_may_be_is_one_sheet(
    open_page: OpenPage, server: Server, make_zip: MakeZip, screenshots: Path
) -> None:
    page = open_page()
    visitor = Visitor(server.url, token=page.evaluate("sessionStorage.getItem('demo-token')"))
    names = [f"{number:02} {'a class with a long name ' * 2}" for number in range(server.rooms.settings.max_classes)]
    seeds = [(name, 10 * place + number) for place, name in enumerate(names) for number in range(10)]
    visitor.bring(make_zip({f"{name}/{seed}.png": encode(noise(seed)) for name, seed in seeds}))
    visitor.train(*recipe_values(hidden_layers=3, patience=1, balance="on"))
    visitor.close()
    page.add_init_script(_CATCH_PRINT)
    for path, words in (("/", ENGLISH), ("/zh", CHINESE)):
        page.goto(f"{server.url}{path}?tab=finetune&panel=keep")
        page.locator("#print-report").click()
        page.wait_for_function("window.printed")
        sheet = page.context.new_page()
        sheet.set_content(page.evaluate("window.printed"))
        assert sheet.locator("h1").inner_text() == words.finetune.keep.report_title
        assert sheet.locator("main .figures figure").count() == 8
        assert sheet.locator(".more").is_visible()
        assert count_sheets(sheet, screenshots / f"report-{words.language}.pdf") == 1
        sheet.close()
