"""Tab 3: the ladder and its panels, as the page calls them."""

import base64
import io
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from demo.data.samples import EXAMPLES, find_example, read_example
from demo.models.zoo import EMBEDDED
from demo.tasks.activations import Measure
from demo.tasks.erase import GRID
from demo.ui.inside.channel import ChannelChoice, ChannelOutputs
from demo.ui.inside.class_maps import ClassMapOutputs
from demo.ui.inside.erase import ErasureOutputs
from demo.ui.inside.kernels import KernelOutputs
from demo.ui.inside.ladder import NUM_MAPS
from demo.ui.inside.residual import AnswerOutputs
from demo.words.language import CHINESE, ENGLISH
from tests.models.test_backbone import assert_frozen, hooks
from tests.pictures import MakeZip, colour_folders, encode, noise
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, Visitor, is_left, recipe_values

CAT = find_example("cat").path
INSIDE = ENGLISH.inside


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    visitor = visit()
    visitor.call("choose_photo", visitor.upload(CAT))
    return visitor


def alt_texts(markup: str) -> list[str]:
    return re.findall(r'<img [^>]*alt="([^"]*)"', markup)


# ---- the ladder


def draw_ladder(visitor: Visitor, measure: str = "spread") -> str:
    return str(visitor.call("draw_ladder", measure)[0])


def test_the_ladder_says_what_each_stage_is(visitor: Visitor) -> None:
    low, middle, high = draw_ladder(visitor).split('<section class="stage">')[1:]
    assert "144 maps of 56 × 56" in low
    assert "Shown after the ReLU of an expansion, <code>blocks.2.0.bn1</code>" in low
    assert "own output, <code>blocks.1</code>, has no ReLU" in low
    assert "Shown after the stage's last ReLU: <code>bn2</code>" in high
    assert "Receptive field:" in low
    assert re.search(r"(\d+) of 1280 channels are silent", high)
    assert "linear-gradient" in high
    for stage in (low, middle, high):
        assert stage.count('src="data:image/jpeg;base64,') == 2
        assert len(set(Markup(stage).values("data-pick"))) == NUM_MAPS
        assert (
            Markup(stage).values("tabindex").count("0") == 1
        )  # a stop of the Tab key; the arrow keys go on from there


def test_channels_are_ranked_by_the_measure_that_is_named(visitor: Visitor) -> None:
    picks = {Markup(draw_ladder(visitor, measure)).values("data-pick")[0] for measure in Measure}
    assert len(picks) > 1


def test_a_click_on_a_map_chooses_its_channel(visitor: Visitor) -> None:
    pick = Markup(draw_ladder(visitor)).values("data-pick")[-1]
    choice = ChannelChoice(*visitor.call("pick_channel", event_data={"pick": pick}))
    assert f"{choice.stage} {choice.number}" == pick
    assert choice.stage == "high"


def test_a_map_that_is_not_there_is_refused(visitor: Visitor) -> None:
    for pick in ("top 3", "low", "low x", "low -1", "low ²", "", None):
        with pytest.raises(Refused):
            visitor.call("pick_channel", event_data={"pick": pick})


# ---- all panels


def test_nothing_of_the_session_asks_the_server_for_a_panel(server: Server) -> None:
    """Only the browser knows what is open; what it is told makes no request."""
    panels = {"draw_ladder", "draw_channel", "draw_resolutions", "draw_kernels", "open_class_maps", "draw_erasure"}
    config = server.page.config["dependencies"]
    drawing = [each for each in config if re.sub(r"_\d+$", "", str(each["api_name"])) in panels]
    assert len(drawing) == 2 * len(panels)
    states = {each["id"] for each in server.page.config["components"] if each["type"] == "state"}
    assert not [each for each in drawing for target, _ in each["targets"] if target in states]


def test_a_panel_shows_the_session_as_it_is(visitor: Visitor) -> None:
    before = KernelOutputs(*visitor.call("draw_kernels", 1))
    visitor.call("choose_photo", visitor.upload(find_example("coffee").path))
    assert KernelOutputs(*visitor.call("draw_kernels", 1)).drawn != before.drawn


@pytest.mark.parametrize(("handler", "count"), [("draw_class_maps", 2), ("draw_control", 2), ("erase_painted", 1)])
def test_without_a_photograph_what_a_panel_is_asked_changes_nothing(visit: Visit, handler: str, count: int) -> None:
    assert all(map(is_left, visit().without_photo().call(handler, *[None] * count)))


def test_without_a_photograph_a_panel_asks_for_one(visit: Visit) -> None:
    visitor = visit().without_photo()
    (resolutions,) = visitor.call("draw_resolutions")
    kernels = KernelOutputs(*visitor.call("draw_kernels", 1))
    channel = ChannelOutputs(*visitor.call("draw_channel", "low", 0))
    maps = ClassMapOutputs(*visitor.call("open_class_maps"))
    erasure = ErasureOutputs(*visitor.call("draw_erasure", None, "grad_cam high"))
    for sentence in (draw_ladder(visitor), resolutions, kernels.drawn, channel.feature_map, maps.drawn, erasure.drawn):
        assert ENGLISH.photo.missing in sentence
    assert erasure.plot["visible"] is False


def test_every_resolution_is_shown_on_demand(visitor: Visitor) -> None:
    (markup,) = visitor.call("draw_resolutions")
    assert [int(side) for side in re.findall(r"Mean activation at (\d+) ", "".join(alt_texts(markup)))] == [
        112,
        56,
        28,
        14,
        7,
    ]


# ---- one channel


def test_a_channel_shows_its_map_and_its_patches(visitor: Visitor) -> None:
    channel = ChannelOutputs(*visitor.call("draw_channel", "low", 3))
    assert alt_texts(channel.feature_map) == ["Feature map of channel 3, drawn on the photograph"]
    assert 1 <= len(alt_texts(channel.patches)) <= len(EXAMPLES)
    assert any(f"in {name}" in channel.patches for name in ENGLISH.predict.example_names.values())


@pytest.mark.slow
def test_patches_come_from_the_visitors_own_pictures_too(visitor: Visitor, make_zip: MakeZip) -> None:
    visitor.bring(make_zip(colour_folders()))
    found = [ChannelOutputs(*visitor.call("draw_channel", "low", channel)) for channel in range(6)]
    assert any("red/" in each.patches or "blue/" in each.patches for each in found)


def test_a_channel_that_is_not_there_is_refused(visitor: Visitor) -> None:
    for number in (-1, 144, 1.5, None, "3", float("nan"), float("inf")):
        with pytest.raises(Refused):
            visitor.call("draw_channel", "low", number)


# ---- kernels


def test_a_kernel_is_shown_with_its_map(visitor: Visitor) -> None:
    kernels = KernelOutputs(*visitor.call("draw_kernels", 7))
    assert "32 kernels of 3 × 3 pixels, moved by 2" in kernels.drawn
    assert alt_texts(kernels.drawn) == [
        INSIDE.kernels.tiles_alt,
        INSIDE.kernels.maps_alt,
        "Kernel 7 as a colour tile",
        "The map of kernel 7 on the photograph",
    ]
    assert (kernels.number["maximum"], kernels.number["value"]) == (32, 7)


def test_a_kernel_beyond_the_last_is_the_last(visitor: Visitor) -> None:
    kernels = KernelOutputs(*visitor.call("draw_kernels", 60))
    assert kernels.number["value"] == 32


# ---- class maps


def test_the_best_class_is_mapped_first(visitor: Visitor) -> None:
    maps = ClassMapOutputs(*visitor.call("open_class_maps"))
    assert "tiger cat: " in maps.drawn
    assert len(alt_texts(maps.drawn)) == 4  # LayerCAM of three stages and Grad-CAM of the high one
    assert (maps.first["value"], maps.second["value"]) == ("imagenet:282", "nobody")
    assert len(maps.first["choices"]) == 1000
    assert len(maps.second["choices"]) == 1001


def test_any_two_classes_stand_side_by_side(visitor: Visitor) -> None:
    (markup,) = visitor.call("draw_class_maps", "imagenet:282", "imagenet:0")
    assert "tench: " in markup
    assert len(alt_texts(markup)) == 8


def test_a_class_of_ones_own_stands_beside_imagenets(visitor: Visitor, make_zip: MakeZip) -> None:
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*recipe_values(optimizer="ridge"))
    maps = ClassMapOutputs(*visitor.call("open_class_maps"))
    assert maps.first["value"] in ("own:0", "own:1")
    assert maps.second["value"] == "imagenet:282"
    assert "yours: " in maps.drawn
    assert "tiger cat" in maps.drawn
    assert len(maps.first["choices"]) == 1002


def test_a_class_that_is_not_there_is_refused_or_nobody(visitor: Visitor) -> None:
    assert visitor.call("draw_class_maps", None, None) == [""]
    for value in ("own:0", "imagenet:1000", "imagenet:-1", "nobody:1", "", 7):
        with pytest.raises(Refused):
            visitor.call("draw_class_maps", value, None)


# ---- the test of a heatmap


def test_what_is_erased_is_shown_with_what_is_left(visitor: Visitor) -> None:
    erasure = ErasureOutputs(*visitor.call("draw_erasure", None, "grad_cam high"))
    assert (erasure.painted, erasure.control) == ("", "")  # those of another map are taken away
    assert erasure.plot["visible"] is True
    assert len({row[2] for row in erasure.plot["value"]["data"]}) == 3
    assert len(erasure.plot["value"]["data"]) == 12
    assert len(alt_texts(erasure.drawn)) == 3
    assert erasure.drawn.count("<tr>") == 1 + 9
    assert erasure.canvas.count("<input") == GRID**2


@pytest.mark.ways
@pytest.mark.slow
def test_it_is_said_where_a_map_fails_and_where_it_holds(visit: Visit, visitor: Visitor) -> None:
    as_opened = visit()  # on the coffee
    for page, verdict in ((visitor, "fails"), (as_opened, "holds")):
        sentence = INSIDE.erase.verdicts[verdict].split(".")[0]
        assert sentence[1:] in page.call("draw_erasure", None, "grad_cam high")[1]
        maps = page.call("open_class_maps")[0]
        assert sentence in maps
        assert INSIDE.erase.verdicts["absent"].split(":")[0] in page.call("draw_class_maps", "imagenet:0", None)[0]


def test_what_was_painted_is_erased(visitor: Visitor) -> None:
    cells = ",".join(str(cell) for cell in range(GRID**2) if 3 <= cell % GRID < 11 and 2 <= cell // GRID < 12)
    (markup,) = visitor.call("erase_painted", None, event_data={"cells": cells})
    assert [row.count("<td>") for row in re.findall(r"<tr>.*?</tr>", markup)] == [0, 3, 3, 3]
    assert INSIDE.erase.parts["painted"] in markup
    assert INSIDE.erase.painted_verdicts["better"].split(":")[0] in markup


def test_nothing_painted_is_said(visitor: Visitor) -> None:
    (markup,) = visitor.call("erase_painted", None, event_data={"cells": ""})
    assert INSIDE.erase.nothing_painted in markup


def test_cells_that_are_not_there_are_refused(visitor: Visitor) -> None:
    for cells in ("196", "-1", "1;2", "9" * 5000, None, {"a": 1}):
        with pytest.raises(Refused):
            visitor.call("erase_painted", None, event_data={"cells": cells})


def test_a_network_that_learned_nothing_is_the_control(visitor: Visitor) -> None:
    (markup,) = visitor.call("draw_control", None, "grad_cam high")
    assert len(alt_texts(markup)) == 2
    found = re.search(r"Rank correlation of the two maps: (-?\d\.\d\d)", markup)
    assert found
    assert float(found[1]) < 0.9


def test_an_unknown_map_is_refused(visitor: Visitor) -> None:
    with pytest.raises(Refused):
        visitor.call("draw_erasure", None, "grad_cam low")


# ---- what a channel looks for


def test_a_picture_is_made_and_kept(visitor: Visitor) -> None:
    (made,) = visitor.call("show_ascent", "low", 1)
    assert alt_texts(made) == ["Picture made by gradient ascent for channel 1"]
    assert visitor.call("show_ascent", "low", 1) == [made]


def test_both_languages_have_the_panels(visit: Visit) -> None:
    visitor = visit(language="zh")
    visitor.call("choose_photo", visitor.upload(CAT))
    kernels = KernelOutputs(*visitor.call("draw_kernels", 1))
    assert CHINESE.inside.kernels.tiles in kernels.drawn


@pytest.mark.slow
def test_imagenets_classes_have_chinese_names_on_the_chinese_page(visit: Visit) -> None:
    visitor = visit(language="zh")
    visitor.call("choose_photo", visitor.upload(CAT))
    maps = ClassMapOutputs(*visitor.call("open_class_maps"))
    assert ["虎斑猫 (tabby)", "imagenet:281"] in maps.first["choices"]
    assert "<h3>虎纹猫 (tiger cat)：" in maps.drawn
    erasure = ErasureOutputs(*visitor.call("draw_erasure", maps.first["value"], "grad_cam high"))
    assert "<h3>虎纹猫 (tiger cat)：" in erasure.drawn
    without = AnswerOutputs(*visitor.call("compare_answers", ["blocks.1.1"], []))
    assert "<td>虎纹猫 (tiger cat)</td>" in without.answers


def test_every_example_has_a_name_for_its_patches() -> None:
    assert {each.name for each in EXAMPLES} == set(ENGLISH.predict.example_names)


# ---- all visitors share one network

DRAWINGS: dict[str, tuple[Any, ...]] = {
    "draw_resolutions": (),
    "draw_kernels": (2,),
    "draw_class_maps": ("imagenet:0", "imagenet:9"),
    "draw_erasure": (None, "layer_cam middle"),
    "draw_block": ("blocks.3.1",),
    "draw_moves": ("turn", 50),
    "draw_statistics": ("coffee",),
}


def pictures_of(visitor: Visitor, *handlers: str) -> list[bytes]:
    """Return all pictures of some panels."""
    found: list[bytes] = []
    for handler in handlers:
        outputs = visitor.call(handler, *DRAWINGS[handler])
        markup = "".join(each for each in outputs if isinstance(each, str))
        found += [base64.b64decode(each) for each in re.findall(r'src="data:image/png;base64,([^"]+)"', markup)]
    return found


def difference(first: bytes, second: bytes) -> float:
    one, other = (np.asarray(Image.open(io.BytesIO(each)).convert("RGB"), dtype=float) for each in (first, second))
    return float(np.abs(one - other).mean())


@pytest.mark.ways
@pytest.mark.slow
def test_eight_visitors_at_once_each_see_their_own(visit: Visit, tmp_path: Path) -> None:
    visitors = [visit() for _ in range(8)]
    for number, visitor in enumerate(visitors):
        (tmp_path / f"{number}.png").write_bytes(encode(noise(number, (240, 240))))
        visitor.call("choose_photo", visitor.upload(tmp_path / f"{number}.png"))

    def draw(visitor: Visitor) -> list[bytes]:
        return pictures_of(
            visitor, "draw_kernels", "draw_class_maps", "draw_block"
        )  # erasing and moving have such tests of their own

    alone = [draw(visitor) for visitor in visitors]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(draw, visitors))
    assert all(len(each) == len(alone[0]) > 10 for each in [*alone, *together])
    for number, (mine, again) in enumerate(zip(alone, together, strict=True)):
        own = [difference(first, second) for first, second in zip(mine, again, strict=True)]
        others = [difference(first, second) for first, second in zip(alone[number - 1], again, strict=True)]
        assert max(own) < 1  # of 255: the order of sums depends on who computes beside
        assert np.mean(others) > 5


@pytest.mark.slow
def test_the_shared_network_is_as_it_was_after_all_of_it(visitor: Visitor, server: Server) -> None:
    with server.rooms.backbones.lend(EMBEDDED) as backbone:
        tensors = {name: tensor.clone() for name, tensor in backbone.network.state_dict().items()}
        logits = backbone.run([read_example(EXAMPLES[1], server.rooms.settings)]).logits
        pictures_of(visitor, *DRAWINGS)
        visitor.call("show_ascent", "high", 2)
        visitor.call("draw_control", None, "grad_cam high")
        visitor.call("compare_answers", ["blocks.3.1"], ["blocks.3.2"])
        for handler, values in (
            ("draw_channel", ("low", -1)),
            ("draw_class_maps", ("imagenet:1000", None)),
            ("draw_block", ("blocks.9",)),
            ("compare_answers", (["blocks.9"], [])),
            ("draw_moves", ("fly", 50)),
        ):
            with pytest.raises(Refused):
                visitor.call(handler, *values)
        torch.testing.assert_close(dict(backbone.network.state_dict()), tensors, rtol=0, atol=0)
        assert_frozen(backbone.network)
        assert hooks(backbone.network) == []
        after = backbone.run([read_example(EXAMPLES[1], server.rooms.settings)]).logits
        torch.testing.assert_close(after, logits, rtol=1e-4, atol=1e-4)
