"""A saved head: what is written comes back, and what was not written here is refused by name."""

import io
import json
import pickle
import random
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from demo.errors import OptionOutOfRange
from demo.models.errors import (
    HeadBackboneUnknown,
    HeadClassCount,
    HeadClassName,
    HeadFileDamaged,
    HeadFileError,
    HeadFileTooLarge,
    HeadFormatUnknown,
    HeadTensorDiffers,
    HeadTensorMissing,
    HeadTensorUnknown,
    HeadTooManyTuned,
    HeadValuesWrong,
    HeadWeightsDiffer,
    NoHeadFile,
    NotAHeadFile,
)
from demo.models.head import Head, build_head
from demo.models.head_metadata import FORMAT
from demo.models.headfile import FILE_NAME, max_file_bytes, read_head, write_head
from demo.models.recipe import MAX_HIDDEN_LAYERS, MAX_WIDTH, Balance, HeadConfig, Recipe, Trains
from demo.models.zoo import EMBEDDED, ZOO
from demo.settings import Settings
from tests.networks import summary

SPEC = ZOO[EMBEDDED]
NAMES = ("蜜蜂 🐝", 'quote " and back\\slash', "naïve; <b>|`[x](y)")
SHAPES = pytest.mark.parametrize(
    "config", [HeadConfig(), HeadConfig(1, 8, 0.5), HeadConfig(3, 16)], ids=["linear", "one hidden", "three hidden"]
)
STATISTICS = {"bn2.running_mean": torch.full((1280,), 2e4), "bn2.running_var": torch.full((1280,), 3e5)}


def head_of(
    config: HeadConfig | None = None,
    *,
    backbone: str = EMBEDDED,
    class_names: tuple[str, ...] = NAMES,
    tuned: dict[str, Tensor] | None = None,
) -> Head:
    config = config or HeadConfig()
    generator = torch.Generator().manual_seed(3)
    module = build_head(ZOO[backbone].num_features, len(class_names), config, generator=generator)
    trains = Trains.LAST_STAGE if tuned else Trains.HEAD
    return Head(module.eval(), class_names, backbone, summary(Recipe(trains, head=config)), tuned or {})


def tuned_tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(4)
    convolution = torch.randn((1280, 320, 1, 1), generator=generator).to(memory_format=torch.channels_last)
    counts = torch.tensor(12_345, dtype=torch.int64)
    return {"conv_head.weight": convolution, "bn2.num_batches_tracked": counts, **STATISTICS}


def take_apart(content: bytes) -> tuple[dict[str, Any], bytes]:
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def put_together(header: Any, data: bytes) -> bytes:
    packed = header if isinstance(header, bytes) else json.dumps(header, ensure_ascii=False).encode()
    return struct.pack("<Q", len(packed)) + packed + data


def with_metadata(**texts: Any) -> bytes:
    """Return a good file with other texts in it; anything but a text is written as JSON."""
    header, data = take_apart(write_head(head_of(), SPEC))
    header["__metadata__"] |= {key: text if isinstance(text, str) else json.dumps(text) for key, text in texts.items()}
    return put_together(header, data)


def with_summary(**values: Any) -> bytes:
    header, _ = take_apart(write_head(head_of(), SPEC))
    return with_metadata(summary=json.loads(header["__metadata__"]["summary"]) | values)


def with_recipe(**values: Any) -> bytes:
    header, _ = take_apart(write_head(head_of(), SPEC))
    recipe = json.loads(header["__metadata__"]["summary"])["recipe"]
    return with_summary(recipe=recipe | values)


def with_tensors(change: Callable[[dict[str, Tensor]], Any], tuned: dict[str, Tensor] | None = None) -> bytes:
    """Return a good file with other tensors in it, all told truly by the header."""
    good = write_head(head_of(tuned=tuned), SPEC)
    tensors = safetensors.torch.load(good)
    change(tensors)
    header, data = take_apart(safetensors.torch.save(tensors))
    return put_together({"__metadata__": take_apart(good)[0]["__metadata__"], **header}, data)


def in_zip(content: bytes, name: str = FILE_NAME, *, copies: int = 1, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        archive.writestr("predict.py", "print('hello')")
        for number in range(copies):
            archive.writestr(f"{number}/{name}" if number else name, content)
    return buffer.getvalue()


def assert_same(first: Head, second: Head) -> None:
    assert (first.class_names, first.backbone_name) == (second.class_names, second.backbone_name)
    assert first.summary == second.summary
    torch.testing.assert_close(dict(first.module.state_dict()), dict(second.module.state_dict()), rtol=0, atol=0)
    torch.testing.assert_close(dict(first.tuned), dict(second.tuned), rtol=0, atol=0)


@SHAPES
@pytest.mark.parametrize("tuned", [{}, tuned_tensors()], ids=["head only", "tuned"])
def test_a_head_comes_back_as_it_was(config: HeadConfig, tuned: dict[str, Tensor], settings: Settings) -> None:
    head = head_of(config, tuned=tuned)
    back = read_head(write_head(head, SPEC), settings)
    assert_same(head, back)
    features = torch.randn((4, 1280), generator=torch.Generator().manual_seed(0))
    assert torch.equal(back.logits(features), head.logits(features))
    assert not back.module.training
    assert not any(parameter.requires_grad for parameter in back.module.parameters())


@SHAPES
def test_written_read_and_written_again_are_the_same_bytes(config: HeadConfig, settings: Settings) -> None:
    first = write_head(head_of(config, tuned=tuned_tensors()), SPEC)
    assert write_head(read_head(first, settings), SPEC) == first
    assert {write_head(head_of(config, tuned=tuned_tensors()), SPEC) for _ in range(4)} == {first}


@pytest.mark.parametrize(
    ("optimizer", "balance"), [("sgd", Balance.OFF), ("adamw", Balance.OFF), ("ridge", Balance.ON)]
)
def test_a_file_of_the_format_before_is_read(optimizer: str, balance: Balance, settings: Settings) -> None:
    summary = json.loads(take_apart(GOOD)[0]["__metadata__"]["summary"])
    del summary["val_balanced"], summary["test_balanced"]
    del summary["recipe"]["shuffled"]
    assert not read_head(with_metadata(format="3", summary=summary), settings).summary.recipe.shuffled
    del summary["recipe"]["balance"], summary["recipe"]["warm_start"]
    summary["recipe"]["optimizer"] = optimizer
    found = read_head(with_metadata(format="2", summary=summary), settings).summary
    assert (found.val_balanced, found.test_balanced, found.recipe.balance) == (None, None, balance)
    assert not found.recipe.warm_start
    assert (found.val_correct, found.val_count) == (summary["val_correct"], summary["val_count"])
    with pytest.raises(HeadFileDamaged):
        read_head(with_metadata(summary=summary), settings)


@pytest.mark.parametrize("name", ZOO)
def test_a_head_of_any_network_comes_back(name: str, settings: Settings) -> None:
    head = head_of(backbone=name)
    assert_same(head, read_head(write_head(head, ZOO[name]), settings))


@pytest.mark.parametrize("name", ["googlenet", "resnet18", "densenet121", EMBEDDED])
def test_all_tensors_of_a_network_but_its_last_layers_come_back(name: str, settings: Settings) -> None:
    """Names, shapes and types are those of the network that is loaded; zeros take no time to make."""
    spec = ZOO[name]
    with torch.device("meta"):
        tensors = spec.build().state_dict()
    tuned = {
        key: torch.zeros(each.shape, dtype=each.dtype)
        for key, each in tensors.items()
        if not key.startswith(f"{spec.logits}.")
    }
    head = head_of(backbone=name, tuned=tuned)
    assert_same(head, read_head(write_head(head, spec), settings))


def test_what_lies_in_the_file_is_what_the_table_and_the_recipe_say() -> None:
    content = write_head(head_of(HeadConfig(1, 8, 0.5), tuned=tuned_tensors()), SPEC)
    header, _ = take_apart(content)
    texts = header.pop("__metadata__")
    assert (texts["format"], texts["backbone"], texts["weights"]) == (FORMAT, EMBEDDED, SPEC.file_name)
    assert tuple(json.loads(texts["classes"])) == NAMES
    assert json.loads(texts["head"]) == {"hidden_layers": 1, "width": 8, "dropout": 0.5}
    assert json.loads(texts["transforms"]) == {
        "resize_size": 256,
        "crop_size": 224,
        "mean": [127 / 255] * 3,
        "std": [128 / 255] * 3,
        "interpolation": "bicubic",
    }
    assert json.loads(texts["summary"])["recipe"]["trains"] == "last_stage"
    assert {name: (each["dtype"], each["shape"]) for name, each in header.items()} == {
        "head.0.weight": ("F32", [8, 1280]),
        "head.0.bias": ("F32", [8]),
        "head.3.weight": ("F32", [3, 8]),
        "head.3.bias": ("F32", [3]),
        "network.conv_head.weight": ("F32", [1280, 320, 1, 1]),
        "network.bn2.num_batches_tracked": ("I64", []),
        "network.bn2.running_mean": ("F32", [1280]),
        "network.bn2.running_var": ("F32", [1280]),
    }
    assert "蜜蜂 🐝".encode() in content


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", [FILE_NAME, f"my head/{FILE_NAME}"])
def test_the_head_in_a_zip_is_read(name: str, how: int, settings: Settings) -> None:
    """Also where somebody unpacked an export and packed its folder again."""
    head = head_of()
    assert_same(head, read_head(in_zip(write_head(head, SPEC), name, how=how), settings))


def test_the_largest_head_that_can_be_trained_fits(settings: Settings) -> None:
    config = HeadConfig(MAX_HIDDEN_LAYERS, MAX_WIDTH)
    with pytest.raises(OptionOutOfRange):
        HeadConfig(1, MAX_WIDTH + 1)
    head = head_of(config, backbone="alexnet", class_names=tuple(f"class {number}" for number in range(20)))
    content = write_head(head, ZOO["alexnet"])
    assert len(content) < max_file_bytes(replace(settings, max_tuned_parameters=0))
    assert_same(head, read_head(content, settings))


GOOD = write_head(head_of(), SPEC)
HEADER, DATA = take_apart(GOOD)
TUNED = {"bn2.running_mean": torch.zeros(1280), "bn2.weight": torch.ones(1280)}
DEEP = "[" * 100_000 + "]" * 100_000


def poke(tensors: dict[str, Tensor], name: str, value: float) -> None:
    tensors[name].view(-1)[0] = value


def bomb() -> bytes:
    """Return a small zip whose directory lists more entries than anybody should build objects for."""
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * 5_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 4, 0)
    return b"PK\x03\x04" + directory + end


def saved_by_torch() -> bytes:
    buffer = io.BytesIO()
    torch.save({"weight": torch.zeros(3)}, buffer)
    return buffer.getvalue()


def replaced(name: str, tensor: Tensor, tuned: dict[str, Tensor] | None = None) -> bytes:
    return with_tensors(lambda tensors: tensors.__setitem__(name, tensor), tuned)


def moved(name: str, offset: int) -> bytes:
    """Return a file whose header says that a tensor's numbers lie elsewhere."""
    begin, end = HEADER[name]["data_offsets"]
    return put_together(HEADER | {name: HEADER[name] | {"data_offsets": [offset, offset + end - begin]}}, DATA)


def without_text(key: str) -> bytes:
    texts = {each: text for each, text in HEADER["__metadata__"].items() if each != key}
    return put_together(HEADER | {"__metadata__": texts}, DATA)


def encrypted() -> bytes:
    """Return a zip that says of its head that it needs a password."""
    content = bytearray(in_zip(GOOD))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rindex(mark) + place] |= 1
    return bytes(content)


FORGED: dict[str, tuple[Callable[[], bytes], type[HeadFileError] | str]] = {
    # no head at all
    "empty": (lambda: b"", NotAHeadFile),
    "text": (lambda: b"hello, this is only a text", NotAHeadFile),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), NotAHeadFile),
    "pickle": (lambda: pickle.dumps({"weight": [1.0]}), NotAHeadFile),
    "torch's own format": (saved_by_torch, NotAHeadFile),
    "zip of something else": (lambda: in_zip(b"hello", "other.txt"), NotAHeadFile),
    "two heads": (lambda: in_zip(GOOD, copies=2), NotAHeadFile),
    "another safetensors": (lambda: safetensors.torch.save({"a": torch.zeros(2)}), NotAHeadFile),
    "cut in the header": (lambda: GOOD[:200], NotAHeadFile),
    "header of 2^63 bytes": (lambda: struct.pack("<Q", 2**63) + GOOD[8:], NotAHeadFile),
    "header of 300 kB": (lambda: put_together(b"{" + b" " * 300_000 + b"}", b""), NotAHeadFile),
    # damage; a text names the part that is damaged
    "header of 100 kB": (lambda: put_together(json.dumps(HEADER).encode() + b" " * 100_000, DATA), "header"),
    "cut in the tensors": (lambda: GOOD[:-1], "tensors"),
    "more bytes at the end": (lambda: GOOD + b"\0", "tensors"),
    "overlap": (lambda: moved("head.weight", 0), "tensors"),
    "negative offset": (lambda: moved("head.bias", -12), "tensors"),
    "header is no JSON": (lambda: put_together(b'{"a": ', DATA), "header"),
    "header is not UTF-8": (lambda: put_together(b'{"\xff\xfe": 1}', DATA), "header"),
    "deep header": (lambda: put_together(b'{"a": ' + DEEP.encode() + b"}", DATA), "header"),
    "a key twice": (
        lambda: put_together(json.dumps(HEADER)[:-1].encode() + b', "head.bias": 1}', DATA),
        "header",
    ),
    "zip cut": (lambda: in_zip(GOOD)[:-30], "zip"),
    "zip damaged": (lambda: in_zip(GOOD).replace(b"head", b"HEAD", 1), "zip"),
    "zip with a huge directory": (bomb, NotAHeadFile),
    "zip by LZMA": (lambda: in_zip(GOOD, how=zipfile.ZIP_LZMA), "zip"),
    "encrypted zip": (encrypted, "zip"),
    "one text more": (lambda: with_metadata(extra="x"), "metadata"),
    "one text less": (lambda: without_text("transforms"), "metadata"),
    # texts
    "no texts": (
        lambda: put_together({key: HEADER[key] for key in HEADER if key != "__metadata__"}, DATA),
        NotAHeadFile,
    ),
    "text is a list": (
        lambda: put_together(HEADER | {"__metadata__": {"format": [FORMAT]}}, DATA),
        NotAHeadFile,
    ),
    "format 1": (lambda: with_metadata(format="1"), HeadFormatUnknown),
    "format of a thousand letters": (lambda: with_metadata(format="9" * 1000), HeadFormatUnknown),
    "unknown network": (lambda: with_metadata(backbone="resnet19"), HeadBackboneUnknown),
    "network is a path": (lambda: with_metadata(backbone="../../etc/passwd"), HeadBackboneUnknown),
    "another network": (lambda: with_metadata(backbone="resnet18"), HeadWeightsDiffer),
    "other weights": (lambda: with_metadata(weights="efficientnet-lite0-00000000.pth"), HeadWeightsDiffer),
    "another network with its weights": (
        lambda: with_metadata(backbone="resnet18", weights=ZOO["resnet18"].file_name),
        "transforms",
    ),
    "other transforms": (lambda: with_metadata(transforms={"resize_size": 1}), "transforms"),
    "deep transforms": (lambda: with_metadata(transforms='{"a": ' + DEEP[:900] + "}"), "transforms"),
    "classes are no list": (lambda: with_metadata(classes={"a": 1}), "classes"),
    "classes are no JSON": (lambda: with_metadata(classes="a, b, c"), "classes"),
    "deep classes": (lambda: with_metadata(classes="[" * 20_000 + "]" * 20_000), "classes"),
    "no class": (lambda: with_metadata(classes=[]), HeadClassCount),
    "1 class": (lambda: with_metadata(classes=["a"]), HeadClassCount),
    "21 classes": (lambda: with_metadata(classes=[f"class {number}" for number in range(21)]), HeadClassCount),
    "a class twice": (lambda: with_metadata(classes=["a", "b", "a"]), HeadClassName),
    "empty class": (lambda: with_metadata(classes=["a", "b", ""]), HeadClassName),
    "41 characters": (lambda: with_metadata(classes=["a", "b", "c" * 41]), HeadClassName),
    "class is a number": (lambda: with_metadata(classes=["a", "b", 1]), HeadClassName),
    "class is a list": (lambda: with_metadata(classes=["a", "b", ["c"]]), HeadClassName),
    "line break": (lambda: with_metadata(classes=["a", "b", "c\nd"]), HeadClassName),
    "space at the end": (lambda: with_metadata(classes=["a", "b", "c "]), HeadClassName),
    "text that runs backwards": (lambda: with_metadata(classes=["a", "b", "c\u202ed"]), HeadClassName),
    "half a character": (lambda: with_metadata(classes='["a", "b", "\\ud800"]'), HeadClassName),
    "not composed": (lambda: with_metadata(classes=["a", "b", "e\u0301"]), HeadClassName),
    "4 classes for 3 rows": (lambda: with_metadata(classes=["a", "b", "c", "d"]), HeadTensorDiffers),
    # recipe and summary
    "summary is a list": (lambda: with_metadata(summary=[1]), "summary"),
    "summary with NaN": (lambda: with_summary(val_accuracy=float("nan")), "summary"),
    "summary with infinity": (lambda: with_metadata(summary='{"seconds": 1e999}'), "summary"),
    "accuracy of 2": (lambda: with_summary(val_accuracy=2), "summary"),
    "balanced accuracy of 2": (lambda: with_summary(val_balanced=2), "summary"),
    "accuracy is a text": (lambda: with_summary(val_accuracy="1"), "summary"),
    "accuracy is true": (lambda: with_summary(val_accuracy=True), "summary"),
    "more right than there are": (lambda: with_summary(val_correct=11), "summary"),
    "huge number": (lambda: with_summary(train_count=10**400), "summary"),
    "number of 5,000 digits": (lambda: with_metadata(summary=f'{{"seconds": {"9" * 5000}}}'), "summary"),
    "half a picture": (lambda: with_summary(train_count=1.5), "summary"),
    "epoch 0": (lambda: with_summary(chosen_epoch=0), "summary"),
    "one value more": (lambda: with_summary(extra=1), "summary"),
    "recipe is null": (lambda: with_summary(recipe=None), "summary"),
    "recipe out of range": (lambda: with_recipe(batch_size=10_000), "summary"),
    "unknown optimizer": (lambda: with_recipe(optimizer="magic"), "summary"),
    "optimizer is a list": (lambda: with_recipe(optimizer=["sgd"]), "summary"),
    "ridge with hidden layers": (
        lambda: with_recipe(optimizer="ridge", head={"hidden_layers": 1, "width": 8, "dropout": 0}),
        "summary",
    ),
    "shape is not the recipe's": (
        lambda: with_metadata(head={"hidden_layers": 1, "width": 8, "dropout": 0}),
        "head",
    ),
    "shape is a text": (lambda: with_metadata(head='"linear"'), "head"),
    # tensors
    "NaN": (lambda: with_tensors(lambda each: poke(each, "head.weight", float("nan"))), HeadValuesWrong),
    "infinity": (lambda: with_tensors(lambda each: poke(each, "head.bias", float("inf"))), HeadValuesWrong),
    "minus 20,000": (lambda: with_tensors(lambda each: poke(each, "head.weight", -2e4)), HeadValuesWrong),
    "wrong shape": (lambda: replaced("head.weight", torch.zeros(3, 1281)), HeadTensorDiffers),
    "turned round": (lambda: replaced("head.weight", torch.zeros(1280, 3)), HeadTensorDiffers),
    "flat": (lambda: replaced("head.weight", torch.zeros(3840)), HeadTensorDiffers),
    "float16": (lambda: replaced("head.weight", torch.zeros(3, 1280).half()), HeadTensorDiffers),
    "float64": (lambda: replaced("head.bias", torch.zeros(3).double()), HeadTensorDiffers),
    "tensor is a number": (lambda: put_together(HEADER | {"head.bias": 3}, DATA), HeadTensorDiffers),
    "deep shape": (
        lambda: put_together(
            json.dumps(HEADER | {"head.bias": {"dtype": "F32", "shape": "?"}})
            .replace('"?"', "[" * 900 + "]" * 900)
            .encode(),
            DATA,
        ),
        HeadTensorDiffers,
    ),
    "missing tensor": (lambda: with_tensors(lambda each: each.pop("head.bias")), HeadTensorMissing),
    "another tensor": (lambda: replaced("head.extra", torch.zeros(3)), HeadTensorUnknown),
    "name without a beginning": (lambda: replaced("weight", torch.zeros(3)), HeadTensorUnknown),
    # layers of the network
    "tuned, but only the head was trained": (
        lambda: replaced("network.bn2.weight", torch.ones(1280)),
        HeadTensorUnknown,
    ),
    "unknown layer": (lambda: replaced("network.bn3.weight", torch.ones(1280), TUNED), HeadTensorUnknown),
    "last layer": (
        lambda: replaced("network.classifier.bias", torch.ones(1000), TUNED),
        HeadTensorUnknown,
    ),
    "tuned with a wrong shape": (
        lambda: replaced("network.bn2.weight", torch.ones(1281), TUNED),
        HeadTensorDiffers,
    ),
    "count as a float": (
        lambda: replaced("network.bn2.num_batches_tracked", torch.tensor(1.0), TUNED),
        HeadTensorDiffers,
    ),
    "tuned NaN": (
        lambda: with_tensors(lambda each: poke(each, "network.bn2.running_mean", float("nan")), TUNED),
        HeadValuesWrong,
    ),
    "negative variance": (
        lambda: replaced("network.bn2.running_var", torch.full((1280,), -1.0), TUNED),
        HeadValuesWrong,
    ),
    "tuned 20,000": (
        lambda: with_tensors(lambda each: poke(each, "network.bn2.weight", 2e4), TUNED),
        HeadValuesWrong,
    ),
    "trained layers are missing": (lambda: with_recipe(trains="last_stage"), HeadTensorMissing),
}


@pytest.mark.parametrize(("forge", "expected"), FORGED.values(), ids=FORGED)
def test_a_forged_file_is_refused_by_name(
    forge: Callable[[], bytes], expected: type[HeadFileError] | str, settings: Settings
) -> None:
    with pytest.raises(HeadFileError) as raised:
        read_head(forge(), settings)
    if isinstance(expected, str):
        assert (type(raised.value), raised.value.values) == (HeadFileDamaged, {"part": expected})
    else:
        assert type(raised.value) is expected
    assert len(str(raised.value)) < 400
    assert str(raised.value).isprintable()


def test_the_file_that_the_forgeries_come_from_is_good(settings: Settings) -> None:
    """So that each of them is refused for what was forged and not for how it was put together."""
    for content in (with_metadata(), with_summary(), with_recipe(), with_tensors(lambda _: None), in_zip(GOOD)):
        assert_same(read_head(content, settings), head_of())
    statistics = head_of(tuned=STATISTICS)  # larger than any weight may be
    assert_same(read_head(write_head(statistics, SPEC), settings), statistics)
    assert_same(read_head(with_tensors(lambda _: None, TUNED), settings), head_of(tuned=TUNED))


def test_a_file_that_is_too_large_is_not_looked_at(settings: Settings) -> None:
    limit = max_file_bytes(settings)
    with pytest.raises(HeadFileTooLarge):
        read_head(bytes(limit + 1), settings)
    with pytest.raises(NotAHeadFile):
        read_head(bytes(limit), settings)


def test_a_small_zip_of_a_large_file_is_too_large(settings: Settings) -> None:
    few = replace(settings, max_tuned_parameters=0)
    content = in_zip(bytes(max_file_bytes(few) + 1))
    assert len(content) < 100_000
    with pytest.raises(HeadFileTooLarge):
        read_head(content, few)


def test_a_head_that_a_zip_packed_too_well_is_not_unpacked(settings: Settings) -> None:
    """Trained numbers hardly shrink; zeros that would fill all the room that a head may take do."""
    with pytest.raises(HeadFileDamaged, match="zip"):
        read_head(in_zip(GOOD + bytes(2_000_000)), settings)
    with pytest.raises(HeadFileDamaged, match="tensors"):
        read_head(in_zip(GOOD + bytes(900_000)), settings)


def test_more_tuned_layers_than_there_is_room_for_are_refused(settings: Settings) -> None:
    tuned = {"conv_head.weight": torch.zeros(1280, 320, 1, 1), **STATISTICS}
    content, num_parameters = write_head(head_of(tuned=tuned), SPEC), 1280 * 320 + 3 * 1281
    assert read_head(content, replace(settings, max_tuned_parameters=num_parameters)).tuned.keys() == tuned.keys()
    with pytest.raises(HeadTooManyTuned):
        read_head(content, replace(settings, max_tuned_parameters=num_parameters - 1))


def test_the_numbers_of_classes_are_the_settings(settings: Settings) -> None:
    content = write_head(head_of(), SPEC)
    with pytest.raises(HeadClassCount, match="3 class"):
        read_head(content, replace(settings, max_classes=2))
    with pytest.raises(HeadClassCount, match="4 to 20"):
        read_head(content, replace(settings, min_classes=4))


@pytest.mark.parametrize("content", [GOOD, write_head(head_of(HeadConfig(2, 8), tuned=TUNED), SPEC), in_zip(GOOD)])
def test_a_file_with_flipped_bytes_is_read_or_refused(content: bytes, settings: Settings) -> None:
    draw = random.Random(0)
    header_bytes = min(len(content), 3000)  # where a flip says something else than another number
    refused = 0
    for _ in range(300):
        flipped = bytearray(content)
        for place in draw.sample(range(header_bytes if draw.random() < 0.8 else len(content)), draw.randint(1, 3)):
            flipped[place] ^= 1 << draw.randrange(8)
        try:
            head = read_head(bytes(flipped), settings)
        except HeadFileError:
            refused += 1
        else:
            assert torch.isfinite(head.logits(torch.ones(1, 1280))).all()
    assert refused > 100


def test_a_file_that_is_cut_anywhere_is_refused(settings: Settings) -> None:
    for size in range(0, len(GOOD), 97):
        with pytest.raises(HeadFileError):
            read_head(GOOD[:size], settings)


def test_a_summary_with_a_test_comes_back(settings: Settings) -> None:
    tested = replace(summary(), test_accuracy=0.75, test_correct=3, test_count=4)
    head = replace(head_of(), summary=tested)
    assert read_head(write_head(head, SPEC), settings).summary == tested


def test_no_error_is_of_another_kind() -> None:
    kinds = {expected if isinstance(expected, type) else HeadFileDamaged for _, expected in FORGED.values()}
    raised_elsewhere = {HeadFileTooLarge, HeadTooManyTuned, NoHeadFile}
    assert kinds | raised_elsewhere == set(HeadFileError.__subclasses__())
