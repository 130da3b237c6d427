"""Words that were on the page once and are wrong, or unknown to a first-year student, stay away."""

import pytest

from demo.sentences import forms_of
from demo.words.language import CHINESE, ENGLISH, Words, all_texts

# Each with what it was taken for; the sentences that took its place are free to change.
WRONG = {
    "en": (
        "flatter",  # make a result look better than it is
        "its own words",
        "Answers with",
        "Whose classes",
        "on its way from",
        "customers in",
        "a head back",
        "aside",
        "rests",
        "are the least",
        "jump about",
        "limbing",
        "where for the",
        "up to strides",
        "mean sureness",
        "off by",
        "one-sided",
        "true share lies",
        "tells the truth",
    ),
    "zh-Hans": (
        "偏好",  # preference; 偏乐观 is meant
        "捷径带走",
        "单向的",
        "兴奋",
        "都不是",
        "沉默",
        "说真话",
        "正在上升",
        "遮罩",
        "训练得动",
        "保持便宜",
        "为手机而生",
        "回答所用",
        "前 1 准确率",
        "串到",
        "现成的数据集",
        "骨干",
        "层级",
        "由此向后",
    ),
}
# What is introduced by its full name in each tab, and the words that stand for one thing there.
INTRODUCED = {"predict": ("主干网络", "捷径连接"), "finetune": ("主干网络",), "inside": ("主干网络", "捷径连接")}
BOTH = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)


def texts(words: Words) -> dict[str, str]:
    return {place: " ".join(forms_of(text)) for place, text in all_texts(words)}


@BOTH
def test_no_wrong_word_is_on_the_page(words: Words) -> None:
    wrong = WRONG[words.language]
    assert [(place, each) for place, text in texts(words).items() for each in wrong if each in text] == []


def test_logits_are_explained_where_they_are_named_in_chinese() -> None:
    named = {place: text for place, text in texts(CHINESE).items() if "logit" in text}
    assert [place for place, text in named.items() if "未归一化得分" not in text] == []


@pytest.mark.parametrize(("tab", "terms"), INTRODUCED.items())
def test_a_term_is_introduced_in_each_tab_that_needs_it(tab: str, terms: tuple[str, ...]) -> None:
    told = "".join(text for place, text in texts(CHINESE).items() if place.startswith(f"{tab}."))
    assert [term for term in terms if term not in told] == []


def test_a_stage_has_one_word_in_chinese() -> None:
    names = [*CHINESE.inside.stage_names.values(), *CHINESE.inside.moves.stages.values()]
    assert all(name.endswith("阶段") for name in names)
