"""The theme: text that everybody can read in both lights, and no letter from another machine."""

import re

from demo.ui.parts.icons import icon_rules
from demo.ui.parts.style import css, theme
from tests.ui.parts.test_chart import TO_XYZ, to_linear

# Text, and what it stands on, as gradio names them.
PAIRS = [
    ("body_text_color", "body_background_fill"),
    ("body_text_color_subdued", "body_background_fill"),
    ("body_text_color_subdued", "background_fill_secondary"),
    ("block_label_text_color", "block_label_background_fill"),
    ("block_title_text_color", "block_background_fill"),
    ("block_info_text_color", "block_background_fill"),
    ("link_text_color", "block_background_fill"),
    ("input_placeholder_color", "input_background_fill"),
    ("button_primary_text_color", "button_primary_background_fill"),
    ("button_primary_text_color", "button_primary_background_fill_hover"),
    ("button_secondary_text_color", "button_secondary_background_fill_hover"),
    ("checkbox_label_text_color_selected", "checkbox_label_background_fill_selected"),
    ("error_text_color", "body_background_fill"),
]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by WCAG 2."""
    dark, light = sorted(float(TO_XYZ[1] @ to_linear(each)) for each in (one, other))
    return (light + 0.05) / (dark + 0.05)


def test_text_is_read_in_light_and_dark() -> None:
    shown = theme()
    for end in ("", "_dark"):
        for pair in PAIRS:
            colours = [shown._get_computed_value(name + end).replace("white", "#ffffff") for name in pair]
            assert contrast(*colours) >= 4.5, (pair, end, colours)


def test_nothing_is_fetched_from_another_machine() -> None:
    sheets = css() + theme()._get_theme_css()
    addresses = re.findall(r"url\(\"?(?!data:)[^)]*", re.sub(r"url\(\"data:.*?\"\)", "", sheets))
    assert not addresses


def test_every_icon_is_a_picture() -> None:
    for rule in icon_rules():
        assert re.search(r"url\(\"data:image/svg\+xml,<svg [^\"#]*</svg>\"\)", rule), rule
