"""Pieces of HTML: whatever a visitor named is shown as text, and pictures need no request."""

import base64
import io

import pytest
from PIL import Image

from demo.ui.parts.markup import (
    PICK_SCRIPT,
    draw_download,
    draw_figure,
    draw_link,
    draw_picture,
    draw_status,
    draw_table,
    draw_way,
    encode_jpeg,
    encode_png,
)
from tests.pictures import noise
from tests.visitor import Markup

HOSTILE = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;{0}"


@pytest.mark.parametrize(
    "drawn",
    [
        draw_table([HOSTILE], [[HOSTILE]], css_class="counts"),
        draw_picture(b"jpeg", HOSTILE),
        draw_figure("", HOSTILE),
        draw_figure("", HOSTILE, pick=HOSTILE),
        draw_status(HOSTILE),
    ],
    ids=["table", "picture", "figure", "button", "status"],
)
def test_names_are_text(drawn: str) -> None:
    markup = Markup(drawn)
    assert "script" not in markup.elements
    assert markup.elements.count("img") == drawn.startswith("<img")
    assert not any(name.startswith("on") for name, _ in markup.attributes)
    assert HOSTILE in [*markup.texts, *markup.values("alt")]


def test_a_table_has_a_head_and_its_rows_in_order() -> None:
    markup = Markup(draw_table(["class", "pictures"], [["cat", 3], ["dog", None]], css_class="counts"))
    assert markup.texts == ["class", "pictures", "cat", "3", "dog", "None"]
    assert (markup.elements.count("th"), markup.elements.count("td"), markup.elements.count("tr")) == (2, 4, 3)
    assert markup.values("class") == ["wide", "counts"]


def test_a_picture_is_in_the_page_itself() -> None:
    (source,) = Markup(draw_picture(b"\xff\xd8 any bytes", "a cat")).values("src")
    kind, _, encoded = source.partition(",")
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(encoded) == b"\xff\xd8 any bytes"


def test_only_a_figure_with_a_pick_is_a_button() -> None:
    plain, picked = Markup(draw_figure("<img>", "cat")), Markup(draw_figure("<img>", "cat", pick="3"))
    assert plain.elements == ["figure", "img", "figcaption"]
    assert picked.elements == ["button", "img", "figcaption"]
    assert picked.values("data-pick") == ["3"]
    assert picked.values("type") == ["button"]
    assert "data-pick" in PICK_SCRIPT


@pytest.mark.parametrize(("kind", "css_class"), [(None, "status running"), ("failed", "status failed")])
def test_a_status_is_read_out(kind: str | None, css_class: str) -> None:
    markup = Markup(draw_status("Done.", kind=kind) if kind else draw_status("Done."))
    assert markup.values("role") == ["status"]
    assert markup.values("class") == [css_class]


def test_a_jpeg_keeps_the_size() -> None:
    decoded = Image.open(io.BytesIO(encode_jpeg(noise(1, (40, 30)))))
    assert (decoded.format, decoded.size) == ("JPEG", (40, 30))
    assert len(encode_jpeg(noise(1), quality=10)) < len(encode_jpeg(noise(1)))


def test_a_picture_can_be_kept_under_a_name_that_says_what_it_is() -> None:
    markup = Markup(draw_download(b"any bytes", 'a "cat"', "Map of <ants> & bees, 10%"))
    assert markup.elements == ["figure", "a", "img", "figcaption"]
    assert markup.values("download") == ["map-of-ants-bees-10.png"]
    assert markup.values("alt") == ["Map of <ants> & bees, 10%"]
    assert base64.b64decode(markup.values("src")[0].partition(",")[2]) == b"any bytes"
    assert markup.texts == ['a "cat"']


def test_a_png_keeps_every_pixel() -> None:
    picture = noise(1, (40, 30))
    assert Image.open(io.BytesIO(encode_png(picture))).tobytes() == picture.tobytes()


def test_a_link_opens_beside_the_page_and_a_way_stays_on_it() -> None:
    link = Markup(draw_link(HOSTILE, "https://example.org/?a=1&b=2"))
    assert link.elements == ["a"]
    assert link.texts == [HOSTILE]
    assert (link.values("href"), link.values("target")) == (["https://example.org/?a=1&b=2"], ["_blank"])
    way = Markup(draw_way("?tab=inside&panel=erase", HOSTILE))
    assert way.elements == ["a"]
    assert (way.values("href"), way.values("data-to")) == (["?tab=inside&panel=erase"], ["erase"])
    assert way.values("target") == []
