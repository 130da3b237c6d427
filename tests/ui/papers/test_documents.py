"""The documents beside the page: what they link to, ask and leave blank, in both languages."""

import base64
import hashlib
import re
from string import Formatter

import httpx
import pytest
from torch import nn

from demo.data.starters import STARTERS
from demo.lesson.steps import STEPS
from demo.settings import Settings
from demo.ui.address import PANELS, read_place
from demo.ui.finetune.recipe_form import decode_recipe
from demo.ui.papers.documents import draw_papers, draw_ways
from demo.ui.papers.links import list_links
from demo.ui.papers.quiz import QUESTIONS
from demo.ui.papers.worksheet import leave_blank
from demo.words.language import CHINESE, ENGLISH, Words
from tests.served import Server
from tests.visitor import Markup

PAPERS = draw_papers()
LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
FOLDERS = {ENGLISH.language: "/", CHINESE.language: "/zh/"}


@LANGUAGES
def test_every_link_leads_to_a_place_of_the_page(words: Words) -> None:
    queries = [link.query for links in list_links(words).values() for link in links]
    places = [read_place(query) for query in queries]
    assert not any(wrong for _, wrong in places)
    assert {place.lesson for place, _ in places} - {""} == {str(step.number) for step in STEPS}
    assert {place.panel for place, _ in places} >= {*PANELS["inside"], *PANELS["predict"]}
    assert {place.set for place, _ in places} - {""} == {*STARTERS}
    recipes = [decode_recipe(Settings(), place.recipe) for place, _ in places if place.recipe]
    assert len({*recipes}) == len(recipes) == len(words.teacher.recipes)
    told = Markup(PAPERS[FOLDERS[words.language] + "teacher"]).values("href")
    home = {ENGLISH.language: "./", CHINESE.language: "../zh"}[words.language]
    assert [href for href in told if href.startswith(f"{home}?")] == [f"{home}?{query}" for query in queries]


@LANGUAGES
def test_each_question_has_one_right_answer_and_a_step_where_it_is_seen(words: Words) -> None:
    assert [*words.quiz.questions] == [*QUESTIONS]
    places = []
    for question in PAPERS[FOLDERS[words.language] + "quiz"].split('<section class="question">')[1:]:
        options = re.findall(r'<li><button type="button"( data-right)?>(.*?)</button>', question)
        marks = [bool(mark) for mark, _ in options]
        assert sum(marks) == 1
        places.append(marks.index(True))
    rights = [each.options[0] for each in words.quiz.questions.values()]
    assert len(places) == len({*rights}) == 10
    assert {*places} == {0, 1, 2}, "who knows where the right answer stands need not know it"
    assert {*QUESTIONS.values()} <= {step.name for step in STEPS}


def test_both_languages_have_the_answers_in_the_same_order() -> None:
    english, chinese = (re.findall(r'<li><button type="button"(.*?)>', PAPERS[path]) for path in ("/quiz", "/zh/quiz"))
    assert english == chinese


def test_the_weights_that_the_quiz_names_are_those_of_the_layers() -> None:
    def count(*layers: nn.Module) -> int:
        return sum(each.numel() for layer in layers for each in layer.parameters())

    def conv(before: int, after: int, side: int) -> nn.Conv2d:
        return nn.Conv2d(before, after, side, bias=False, device="meta")

    bottleneck = count(conv(256, 64, 1), conv(64, 64, 3), conv(64, 256, 1))
    assert f"{bottleneck:,} weights in the place of {count(conv(256, 256, 3), conv(256, 256, 3)):,}" in PAPERS["/quiz"]


@LANGUAGES
def test_the_worksheet_has_a_blank_for_each_number_and_room_for_each_reason(words: Words) -> None:
    sheet = PAPERS[FOLDERS[words.language] + "worksheet"]
    lines = [line for step in STEPS for line in words.lesson.steps[step.name].found]
    numbers = [name for line in lines for _, name, _, _ in Formatter().parse(line) if name]
    assert sheet.count('<span class="blank">') == len(numbers)
    assert sheet.count('<div class="room">') == 3 * len(STEPS)
    assert not re.search(r"[{}]", sheet[sheet.index("</style>") : sheet.index("<script>")])
    for step in STEPS:
        said = words.lesson.steps[step.name]
        assert {said.question, *said.options} <= {*Markup(sheet).texts}


def test_a_share_is_written_before_its_sign() -> None:
    assert leave_blank("a < b: {share:.1%}") == 'a &lt; b: <span class="blank"><i></i> %</span>'


def test_a_document_runs_its_own_script_and_asks_for_nothing_else(server: Server) -> None:
    for path, text in PAPERS.items():
        answer = httpx.get(server.url + path, verify=False)
        assert answer.text == text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy
        for tag in ("style", "script"):
            (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.S)
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
        named = {name for name, _ in Markup(text).attributes}
        assert not {each for each in named if each in ("src", "style") or each.startswith("on")}


@LANGUAGES
def test_the_page_leads_to_the_documents_and_they_to_each_other(words: Words) -> None:
    folder = FOLDERS[words.language]
    ours = {path for path in PAPERS if path.startswith(folder) and path.count("/") == folder.count("/")}
    assert len(ours) == 3
    home = folder.rstrip("/") or "/"
    from_lesson = httpx.URL(f"http://here{home}").join(*Markup(words.lesson.over).values("href"))
    assert from_lesson.path in ours
    for start, text in [(home, draw_ways(words)), *((path, PAPERS[path]) for path in ours)]:
        base = httpx.URL(f"http://here{start}")
        links = {base.join(href) for href in Markup(text).values("href")}
        there = {link.path for link in links if link.host == "here"}
        assert ours - {start} <= there <= {"/", "/zh", *PAPERS}


def test_a_code_is_drawn_for_addresses_of_this_page_alone(server: Server) -> None:
    own, other = f"{server.url}/?lesson=3", "https://example.org/?lesson=3"
    asked = {"Referer": f"{server.url}/teacher"}
    answer = httpx.get(f"{server.url}/qr.svg", params={"to": own}, headers=asked, verify=False)
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.text.startswith("<?xml") and "<path" in answer.text
    for address, headers in [(other, asked), (own, {}), (f"{own}&{'x' * 500}", asked), ("", asked)]:
        refused = httpx.get(f"{server.url}/qr.svg", params={"to": address}, headers=headers, verify=False)
        assert refused.status_code == 404
