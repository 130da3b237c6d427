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
from demo.figures import draw_grid
from demo.models.zoo import EMBEDDED, ZOO
from demo.tasks.activations import Measure
from demo.tasks.erase import GRID
from demo.ui.inside.channel import ChannelChoice, ChannelOutputs
from demo.ui.inside.class_maps import ClassMapOutputs
from demo.ui.inside.erase import ErasureOutputs
from demo.ui.inside.kernels import KernelOutputs
from demo.ui.inside.tab import LadderOutputs, Revisions
from demo.words.language import CHINESE, ENGLISH
from tests.models.test_backbone import assert_frozen, hooks
from tests.pictures import MakeZip, colour_folders, encode, noise
from tests.served import Server
from tests.visitor import Refused, Visit, Visitor, fill, is_left, recipe_values

CAT = find_example("cat").path
INSIDE = ENGLISH.inside
CHANNEL, RESOLUTIONS, KERNELS, CLASS_MAPS, ERASE, RESIDUAL, MOVES, STATISTICS = (
    f"{each.replace('_', '-')}-panel" for each in Revisions._fields
)
HIGH_CHANNELS = ZOO[EMBEDDED].num_features
TILE_PX = draw_grid(np.ones((1, 2, 2))).width


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    visitor = visit()
    visitor.call("choose_photo", visitor.upload(CAT))
    return visitor


def unfold(visitor: Visitor, panel: str) -> Visitor:
    visitor.call("open_panel", of=panel)
    return visitor


def alt_texts(markup: str) -> list[str]:
    return re.findall(r'<img [^>]*alt="([^"]*)"', markup)


# ---- the ladder


def test_the_ladder_says_what_each_stage_is(visitor: Visitor) -> None:
    visitor.call("open_tab")
    ladder = fill(LadderOutputs, visitor.call("draw_stages", None, None, "mean"))
    assert "144 maps of 56 × 56" in ladder.low.shape
    assert "Shown after the ReLU of an expansion, <code>blocks.2.0.bn1</code>" in ladder.low.shape
    assert "own output, <code>blocks.1</code>, has no ReLU" in ladder.low.shape
    assert "Shown after the stage's last ReLU: <code>bn2</code>" in ladder.high.shape
    assert "Receptive field:" in ladder.low.shape
    assert re.search(r"(\d+) of 1280 channels are silent", ladder.high.shape)
    for stage in (ladder.low, ladder.middle, ladder.high):
        assert stage.overlay["url"]
        assert stage.grid["url"]


def test_channels_are_ranked_by_the_measure_that_is_named(visitor: Visitor) -> None:
    visitor.call("open_tab")
    picked = set()
    for measure in Measure:
        click = {"index": [5, 5], "value": None}
        choice = ChannelChoice(*visitor.call("pick_channel", None, measure.value, event_data=click, of="grid-high"))
        assert choice.stage == "high"
        assert 0 <= choice.number < HIGH_CHANNELS
        picked.add(choice.number)
    assert len(picked) > 1


@pytest.mark.parametrize("index", [[TILE_PX, TILE_PX], [-1, 5], [5000, 5], None, "5,5"])
def test_a_click_beside_the_maps_chooses_nothing(visitor: Visitor, index: Any) -> None:
    click = {"index": index, "value": None}
    answers = visitor.call("pick_channel", None, "mean", event_data=click, of="grid-high")
    assert all(map(is_left, answers))


# ---- all panels


@pytest.mark.parametrize(
    ("handler", "values"),
    [
        ("draw_channel", ("high", 0)),
        ("draw_resolutions", ()),
        ("draw_kernels", (1,)),
        ("open_class_maps", ()),
        ("draw_class_maps", (None, None)),
        ("draw_erasure", (None, "grad_cam high")),
    ],
)
def test_a_closed_panel_computes_nothing(visitor: Visitor, handler: str, values: tuple[Any, ...]) -> None:
    answers = visitor.call(handler, None, *values)
    assert all(map(is_left, answers))


def test_open_panels_follow_the_session_and_closed_ones_do_not(visitor: Visitor) -> None:
    unfold(visitor, KERNELS)
    before = KernelOutputs(*visitor.call("draw_kernels", None, 1))
    visitor.call("choose_photo", visitor.upload(find_example("coffee").path))
    visitor.call("renew_panels", *[None] * len(Revisions._fields))
    assert KernelOutputs(*visitor.call("draw_kernels", None, 1)).drawn != before.drawn
    visitor.call("close_panel", of=KERNELS)
    assert all(map(is_left, visitor.call("draw_kernels", None, 1)))


def test_without_a_photograph_a_panel_asks_for_one(visit: Visit) -> None:
    visitor = visit()
    (resolutions,) = unfold(visitor, RESOLUTIONS).call("draw_resolutions", None)
    kernels = KernelOutputs(*unfold(visitor, KERNELS).call("draw_kernels", None, 1))
    channel = ChannelOutputs(*unfold(visitor, CHANNEL).call("draw_channel", None, "low", 0))
    maps = ClassMapOutputs(*unfold(visitor, CLASS_MAPS).call("open_class_maps", None))
    erasure = ErasureOutputs(*unfold(visitor, ERASE).call("draw_erasure", None, None, "grad_cam high"))
    for sentence in (resolutions, kernels.drawn, channel.feature_map, maps.drawn, erasure.drawn):
        assert ENGLISH.photo.missing in sentence
    assert erasure.plot["visible"] is False


def test_every_resolution_is_shown_on_demand(visitor: Visitor) -> None:
    (markup,) = unfold(visitor, RESOLUTIONS).call("draw_resolutions", None)
    assert [int(side) for side in re.findall(r"Mean activation at (\d+) ", "".join(alt_texts(markup)))] == [
        112,
        56,
        28,
        14,
        7,
    ]


# ---- one channel


def test_a_channel_shows_its_map_and_its_patches(visitor: Visitor) -> None:
    unfold(visitor, CHANNEL)
    channel = ChannelOutputs(*visitor.call("draw_channel", None, "low", 3))
    assert alt_texts(channel.feature_map) == ["Feature map of channel 3, drawn on the photograph"]
    assert 1 <= len(alt_texts(channel.patches)) <= len(EXAMPLES)
    assert any(f"in {name}" in channel.patches for name in ENGLISH.predict.example_names.values())


def test_patches_come_from_the_visitors_own_pictures_too(visitor: Visitor, make_zip: MakeZip) -> None:
    visitor.bring(make_zip(colour_folders()))
    unfold(visitor, CHANNEL)
    found = [ChannelOutputs(*visitor.call("draw_channel", None, "low", channel)) for channel in range(6)]
    assert any("red/" in each.patches or "blue/" in each.patches for each in found)


@pytest.mark.parametrize("number", [-1, 144, 1.5, None, "3", float("nan"), float("inf")])
def test_a_channel_that_is_not_there_is_refused(visitor: Visitor, number: Any) -> None:
    unfold(visitor, CHANNEL)
    with pytest.raises(Refused):
        visitor.call("draw_channel", None, "low", number)


# ---- kernels


def test_a_kernel_is_shown_with_its_map(visitor: Visitor) -> None:
    kernels = KernelOutputs(*unfold(visitor, KERNELS).call("draw_kernels", None, 7))
    assert "32 kernels of 3 × 3 pixels, moved by 2" in kernels.drawn
    assert alt_texts(kernels.drawn) == [
        INSIDE.kernels.tiles_alt,
        INSIDE.kernels.maps_alt,
        "Kernel 7 as a colour tile",
        "The map of kernel 7 on the photograph",
    ]
    assert (kernels.number["maximum"], kernels.number["value"]) == (32, 7)


def test_a_kernel_beyond_the_last_is_the_last(visitor: Visitor) -> None:
    kernels = KernelOutputs(*unfold(visitor, KERNELS).call("draw_kernels", None, 60))
    assert kernels.number["value"] == 32


# ---- class maps


def test_the_best_class_is_mapped_first(visitor: Visitor) -> None:
    maps = ClassMapOutputs(*unfold(visitor, CLASS_MAPS).call("open_class_maps", None))
    assert "tiger cat: " in maps.drawn
    assert len(alt_texts(maps.drawn)) == 4  # LayerCAM of three stages and Grad-CAM of the high one
    assert (maps.first["value"], maps.second["value"]) == ("imagenet:282", "nobody")
    assert len(maps.first["choices"]) == 1000
    assert len(maps.second["choices"]) == 1001


def test_any_two_classes_stand_side_by_side(visitor: Visitor) -> None:
    (markup,) = unfold(visitor, CLASS_MAPS).call("draw_class_maps", None, "imagenet:282", "imagenet:0")
    assert "tench: " in markup
    assert len(alt_texts(markup)) == 8


def test_a_class_of_ones_own_stands_beside_imagenets(visitor: Visitor, make_zip: MakeZip) -> None:
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*recipe_values(optimizer="ridge"))
    maps = ClassMapOutputs(*unfold(visitor, CLASS_MAPS).call("open_class_maps", None))
    assert maps.first["value"] in ("own:0", "own:1")
    assert maps.second["value"] == "imagenet:282"
    assert "yours: " in maps.drawn
    assert "tiger cat" in maps.drawn
    assert len(maps.first["choices"]) == 1002


@pytest.mark.parametrize("value", ["own:0", "imagenet:1000", "imagenet:-1", "nobody:1", "", 7, None])
def test_a_class_that_is_not_there_is_refused_or_nobody(visitor: Visitor, value: Any) -> None:
    unfold(visitor, CLASS_MAPS)
    if value is None:
        assert visitor.call("draw_class_maps", None, None, None) == [""]
        return
    with pytest.raises(Refused):
        visitor.call("draw_class_maps", None, value, None)


# ---- the test of a heatmap


def test_what_is_erased_is_shown_with_what_is_left(visitor: Visitor) -> None:
    erasure = ErasureOutputs(*unfold(visitor, ERASE).call("draw_erasure", None, None, "grad_cam high"))
    assert (erasure.painted, erasure.control) == ("", "")  # those of another map are taken away
    assert erasure.plot["visible"] is True
    assert len({row[2] for row in erasure.plot["value"]["data"]}) == 3
    assert len(erasure.plot["value"]["data"]) == 12
    assert len(alt_texts(erasure.drawn)) == 3
    assert erasure.drawn.count("<tr>") == 1 + 9
    assert erasure.canvas.count("<input") == GRID**2


def test_what_was_painted_is_erased(visitor: Visitor) -> None:
    unfold(visitor, ERASE)
    cells = ",".join(str(cell) for cell in range(GRID**2) if 3 <= cell % GRID < 11 and 2 <= cell // GRID < 12)
    (markup,) = visitor.call("erase_painted", None, None, event_data={"cells": cells})
    assert [row.count("<td>") for row in re.findall(r"<tr>.*?</tr>", markup)] == [0, 3, 3, 3]
    assert INSIDE.erase.parts["painted"] in markup


def test_nothing_painted_is_said(visitor: Visitor) -> None:
    unfold(visitor, ERASE)
    (markup,) = visitor.call("erase_painted", None, None, event_data={"cells": ""})
    assert INSIDE.erase.nothing_painted in markup


@pytest.mark.parametrize("cells", ["196", "-1", "1;2", "9" * 5000, None, {"a": 1}])
def test_cells_that_are_not_there_are_refused(visitor: Visitor, cells: Any) -> None:
    unfold(visitor, ERASE)
    with pytest.raises(Refused):
        visitor.call("erase_painted", None, None, event_data={"cells": cells})


def test_a_network_that_learned_nothing_is_the_control(visitor: Visitor) -> None:
    (markup,) = unfold(visitor, ERASE).call("draw_control", None, None, "grad_cam high")
    assert len(alt_texts(markup)) == 2
    found = re.search(r"Rank correlation of the two maps: (-?\d\.\d\d)", markup)
    assert found
    assert float(found[1]) < 0.9


def test_an_unknown_map_is_refused(visitor: Visitor) -> None:
    unfold(visitor, ERASE)
    with pytest.raises(Refused):
        visitor.call("draw_erasure", None, None, "grad_cam low")


# ---- what a channel looks for


def test_a_picture_is_made_and_kept(visitor: Visitor) -> None:
    (made,) = visitor.call("show_ascent", "low", 1)
    assert alt_texts(made) == ["Picture made by gradient ascent for channel 1"]
    assert visitor.call("show_ascent", "low", 1) == [made]


def test_both_languages_have_the_panels(visit: Visit) -> None:
    visitor = visit(language="zh")
    visitor.call("choose_photo", visitor.upload(CAT))
    kernels = KernelOutputs(*unfold(visitor, KERNELS).call("draw_kernels", None, 1))
    assert CHINESE.inside.kernels.tiles in kernels.drawn


def test_every_example_has_a_name_for_its_patches() -> None:
    assert {each.name for each in EXAMPLES} == set(ENGLISH.predict.example_names)


# ---- all visitors share one network

DRAWINGS: dict[str, tuple[str, tuple[Any, ...]]] = {
    RESOLUTIONS: ("draw_resolutions", ()),
    KERNELS: ("draw_kernels", (2,)),
    CLASS_MAPS: ("draw_class_maps", ("imagenet:0", "imagenet:9")),
    ERASE: ("draw_erasure", (None, "layer_cam middle")),
    RESIDUAL: ("draw_block", ("blocks.3.1",)),
    MOVES: ("draw_moves", ("turn", 50)),
    STATISTICS: ("draw_statistics", ("coffee", None)),
}


def pictures_of(visitor: Visitor, *panels: str) -> list[bytes]:
    """Return all pictures of some panels."""
    found: list[bytes] = []
    for panel in panels:
        handler, values = DRAWINGS[panel]
        outputs = unfold(visitor, panel).call(handler, None, *values)
        markup = "".join(each for each in outputs if isinstance(each, str))
        found += [base64.b64decode(each) for each in re.findall(r'src="data:image/png;base64,([^"]+)"', markup)]
    return found


def difference(first: bytes, second: bytes) -> float:
    one, other = (np.asarray(Image.open(io.BytesIO(each)).convert("RGB"), dtype=float) for each in (first, second))
    return float(np.abs(one - other).mean())


@pytest.mark.slow
def test_eight_visitors_at_once_each_see_their_own(visit: Visit, tmp_path: Path) -> None:
    visitors = [visit() for _ in range(8)]
    for number, visitor in enumerate(visitors):
        (tmp_path / f"{number}.png").write_bytes(encode(noise(number, (240, 240))))
        visitor.call("choose_photo", visitor.upload(tmp_path / f"{number}.png"))

    def draw(visitor: Visitor) -> list[bytes]:
        return pictures_of(visitor, KERNELS, CLASS_MAPS, RESIDUAL)  # erasing and moving have such tests of their own

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
        visitor.call("draw_control", None, None, "grad_cam high")
        visitor.call("compare_answers", None, ["blocks.3.1"], ["blocks.3.2"])
        for handler, values in (
            ("draw_channel", ("low", -1)),
            ("draw_class_maps", ("imagenet:1000", None)),
            ("draw_block", ("blocks.9",)),
            ("compare_answers", (["blocks.9"], [])),
            ("draw_moves", ("fly", 50)),
        ):
            unfold(visitor, CHANNEL)
            with pytest.raises(Refused):
                visitor.call(handler, None, *values)
        torch.testing.assert_close(dict(backbone.network.state_dict()), tensors, rtol=0, atol=0)
        assert_frozen(backbone.network)
        assert hooks(backbone.network) == []
        after = backbone.run([read_example(EXAMPLES[1], server.rooms.settings)]).logits
        torch.testing.assert_close(after, logits, rtol=1e-4, atol=1e-4)
