"""A crowd on one page, in short: nothing crosses, nobody is kept from an answer, and nothing stays of a request."""

import gc
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from demo.ui.parts.markup import draw_picture, encode_jpeg
from tests.benchmarks.crowd import (
    Customer,
    Fingerprint,
    Footprint,
    Hog,
    Soak,
    customers,
    decode,
    is_flat,
    look,
    measure,
    run_mixed,
    sample_soak,
    slope_of,
)
from tests.pictures import noise
from tests.served import Server
from tests.visitor import Visit

needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system does not list threads")


@pytest.fixture(scope="module")
def crowd(server: Server) -> Iterator[list[Customer]]:
    with customers(server.url, 6) as opened:
        yield opened


def nothing(_address: str) -> bytes:
    raise AssertionError("no picture is at an address here")


# ---- whether the checks below would see anything


def test_each_number_is_found_again_in_what_is_left_of_a_picture() -> None:
    for number in range(125):
        picture = Fingerprint(number).mark(noise(number, (400, 300)))
        assert decode(picture) == number
        assert decode(picture.resize((64, 48))) == number
        assert decode(picture.resize((309, 232)).crop((42, 4, 266, 228))) == number  # what a network is shown


def test_a_picture_without_a_fingerprint_has_no_number() -> None:
    assert decode(Image.new("RGB", (40, 30), (53, 53, 53))) is None


def test_names_and_pictures_are_found_however_deep_they_lie() -> None:
    shown = draw_picture(encode_jpeg(Fingerprint(7).mark(noise(7))), 'owner12 "red"/owner12-3.png')
    url = shown.split('"')[1]
    seen = look([None, {"value": [["owner3 blue", shown]]}, {"path": None, "url": url}], nothing)
    assert sorted(seen.names) == [3, 12, 12]
    assert seen.pictures == [7, 7]


def test_what_is_somebody_elses_is_noticed(crowd: list[Customer]) -> None:
    one, other = crowd[:2]
    assert [one.act(action) for action in ("choose_photo", "train")] == ["", ""]
    one.page, other.page = other.page, one.page
    try:
        for action in ("refresh", "reload", "show_session"):
            assert re.match(rf"owner1, {action}: Crossed: ", other.act(action)), action
    finally:
        one.page, other.page = other.page, one.page


def test_slopes_and_flat_numbers() -> None:
    assert slope_of([5.0, 7.0, 9.0]) == pytest.approx(2.0)
    assert is_flat([20, 22, 40, 19, 21, 23, 22, 20])
    assert not is_flat([20, 30, 40, 50])


# ---- the crowd itself


@pytest.mark.slow
def test_nothing_crosses_in_mixed_calls(crowd: list[Customer]) -> None:
    assert run_mixed(crowd, 60) == []


def test_a_hog_keeps_nobody_from_their_own_answer(crowd: list[Customer], server: Server, tmp_path: Path) -> None:
    others, num_photos = crowd[3:], 3
    for each in others:
        assert each.act("forget_head") == ""
    hog = Hog(server.url, tmp_path, num_pictures=10)
    try:
        with ThreadPoolExecutor(2 + len(others)) as pool:
            chores = [pool.submit(chore) for chore in (hog.flood, hog.bring_pictures)]
            seeing = [pool.submit(each.act, "see") for _ in range(num_photos) for each in others]
            assert [each.result() for each in seeing] == [""] * len(seeing)
            for chore in chores:
                chore.result()
        assert hog.wait()
    finally:
        hog.close()
    assert hog.got["requests at once taken"] + hog.got["requests at once taken refused"] == 30


@pytest.mark.ways
@needs_proc
@pytest.mark.slow
def test_nothing_stays_of_a_hundred_requests(server: Server, visit: Visit, tmp_path: Path) -> None:
    visit()  # the page is there

    def look_at_it() -> Footprint:
        gc.collect()  # the clients live here too
        return measure("self", Path(os.environ["GRADIO_TEMP_DIR"]))

    soaking = Soak(server.url, tmp_path, page_every=20)
    soaking.run(200)  # each thread that computes for the first time starts one of the network's own
    footprints = sample_soak(soaking, 100, look_at_it, every=25)
    assert soaking.failed == []
    assert is_flat([each.descriptors for each in footprints])
    assert is_flat([each.threads for each in footprints])
