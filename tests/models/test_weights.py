"""Where checkpoints are found, and that nothing but a published one is ever loaded."""

import errno
import hashlib
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save, save_file
from torch import Tensor, nn

from demo.models.backbone import load_backbone
from demo.models.errors import UnknownBackbone, WeightsDamaged, WeightsError, WeightsMissing
from demo.models.weights import Source, WeightsFile, find_weights, has_weights, load_weights, usable_backbone
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec, Published, WheelFile
from tests.weights_host import HUB_COMMIT, use_hub

RESNET18 = ZOO["resnet18"]
REPO = RESNET18.hub_repo


@pytest.fixture(autouse=True)
def no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_WEIGHTS_DIR", raising=False)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the Hub's cache has its copy of ResNet-18, as a link to what its checksum names; it is not there yet."""
    use_hub(monkeypatch, "http://127.0.0.1:1", tmp_path / "hub", offline=True)
    repo = tmp_path / "hub" / f"models--{REPO.replace('/', '--')}"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text(HUB_COMMIT)
    (repo / "blobs").mkdir()
    (repo / "snapshots" / HUB_COMMIT).mkdir(parents=True)
    return repo / "snapshots" / HUB_COMMIT / "model.safetensors"


@pytest.fixture
def checkpoints(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which torch keeps its downloads; empty, as is the Hub's cache."""
    assert not copy.exists()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def publish(checkpoint: Path) -> BackboneSpec:
    """Give a file the name that goes with its content, and return a row of the table that asks for it."""
    digits = hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:8]
    published = checkpoint.rename(checkpoint.with_name(f"resnet18-{digits}.pth"))
    return replace(RESNET18, weights=Published("", f"https://example.org/models/{published.name}"))


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def never_built() -> nn.Module:
    pytest.fail("a network was built without its weights")


def test_the_embedded_checkpoint_lies_in_its_wheel() -> None:
    assert has_weights(ZOO[EMBEDDED])
    file = find_weights(ZOO[EMBEDDED])
    assert file is not None
    assert (file.path.name, file.source) == (ZOO[EMBEDDED].file_name, Source.WHEEL)


def test_the_embedded_checkpoint_fills_its_network() -> None:
    spec = ZOO[EMBEDDED]
    shapes = [tensor.shape for tensor in load_weights(spec).values()]
    assert shapes == [tensor.shape for tensor in spec.build().state_dict().values()]


def test_the_hash_of_the_embedded_checkpoint_is_checked() -> None:
    spec = ZOO[EMBEDDED]
    assert isinstance(spec.weights, WheelFile)
    other = spec.weights.sha256[:-1] + "0"
    with pytest.raises(WeightsDamaged, match=spec.file_name):
        load_weights(replace(spec, weights=replace(spec.weights, sha256=other)))


def test_a_wheel_that_is_not_installed_is_missing_weights() -> None:
    spec = ZOO[EMBEDDED]
    assert isinstance(spec.weights, WheelFile)
    absent = replace(spec, weights=replace(spec.weights, package="no_such_package"))
    assert not has_weights(absent)
    with pytest.raises(WeightsMissing, match=spec.display_name):
        load_weights(absent)


@pytest.mark.usefixtures("checkpoints")
def test_a_missing_file_is_told_and_nothing_is_built() -> None:
    assert not has_weights(RESNET18)
    with pytest.raises(WeightsMissing, match=r"The weights of ResNet-18 .*resnet18-f37072fd\.pth: not there"):
        load_backbone(replace(RESNET18, build=never_built))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"], ids=["empty", "damaged"])
def test_a_damaged_file_is_told_and_nothing_is_built(checkpoints: Path, content: bytes) -> None:
    (checkpoints / RESNET18.file_name).write_bytes(content)
    with pytest.raises(WeightsDamaged, match=r"ResNet-18 \(resnet18-f37072fd\.pth\)"):
        load_backbone(replace(RESNET18, build=never_built))


def test_a_folder_in_the_place_of_the_file_is_missing_weights(checkpoints: Path) -> None:
    (checkpoints / RESNET18.file_name).mkdir()
    with pytest.raises(WeightsMissing):
        load_weights(RESNET18)


def test_a_flipped_bit_is_noticed(checkpoints: Path) -> None:
    torch.save({"fc.bias": torch.zeros(1000)}, checkpoints / "new.pth")
    spec = publish(checkpoints / "new.pth")
    flip_a_bit(checkpoints / spec.file_name)
    with pytest.raises(WeightsDamaged):
        load_weights(spec)


def test_a_damage_after_the_first_look_is_noticed(checkpoints: Path) -> None:
    torch.save({"fc.bias": torch.zeros(1000)}, checkpoints / "new.pth")
    spec = publish(checkpoints / "new.pth")
    load_weights(spec)
    with (checkpoints / spec.file_name).open("ab") as file:
        file.write(b"more")
    with pytest.raises(WeightsDamaged):
        load_weights(spec)


def test_a_published_file_is_loaded(checkpoints: Path) -> None:
    expected: dict[str, Tensor] = RESNET18.build().state_dict()
    torch.save(expected, checkpoints / "new.pth")
    backbone = load_backbone(publish(checkpoints / "new.pth"))
    torch.testing.assert_close(dict(backbone.network.state_dict()), dict(expected), rtol=0, atol=0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a teacher filled; empty."""
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setenv("DEMO_WEIGHTS_DIR", str(folder))
    return folder


def test_the_places_on_this_machine_are_asked_in_their_order(checkpoints: Path, folder: Path, copy: Path) -> None:
    spec = RESNET18
    places = [
        WeightsFile(folder / spec.file_name, Source.FOLDER),
        WeightsFile(checkpoints / spec.file_name, Source.CACHE),
        WeightsFile(copy, Source.HUB),
    ]
    for place in places:
        place.path.write_bytes(b"not looked at yet")
    for place in places:
        assert find_weights(spec) == place
        place.path.unlink()
    assert find_weights(spec) is None


def test_a_cache_that_may_not_be_entered_holds_nothing(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(RESNET18, hub_repo="timm/resnet18.tv_in1k")

    def refuse(_path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    (checkpoints / spec.file_name).write_bytes(b"somebody else's")
    monkeypatch.setattr(Path, "is_file", refuse)
    assert find_weights(spec) is None
    with pytest.raises(WeightsMissing, match="not there"):
        load_weights(spec)


def test_a_damaged_file_does_not_hide_a_good_one(checkpoints: Path, folder: Path) -> None:
    torch.save({"fc.bias": torch.ones(1000)}, checkpoints / "new.pth")
    spec = publish(checkpoints / "new.pth")
    (folder / spec.file_name).write_bytes(b"damaged")
    assert load_weights(spec)["fc.bias"].sum() == 1000
    assert (folder / spec.file_name).exists()


@pytest.mark.usefixtures("checkpoints")
def test_the_hubs_copy_is_loaded_as_what_it_is(copy: Path) -> None:
    spec = RESNET18
    save_file({"fc.bias": torch.ones(1000)}, copy)
    assert load_weights(spec)["fc.bias"].sum() == 1000
    copy.write_bytes(copy.read_bytes()[:-1])
    with pytest.raises(WeightsDamaged, match=copy.name):
        load_weights(spec)


@pytest.mark.usefixtures("checkpoints")
def test_the_hubs_copy_is_held_to_the_digits_that_it_links_to(copy: Path) -> None:
    spec = RESNET18
    content = save({"fc.bias": torch.ones(1000)})
    blob = copy.parents[2] / "blobs" / hashlib.sha256(content).hexdigest()
    blob.write_bytes(content)
    copy.symlink_to(Path("../../blobs") / blob.name)
    load_weights(spec)
    flip_a_bit(blob)
    with pytest.raises(WeightsDamaged, match=copy.name):
        load_weights(spec)


def test_a_checkpoint_of_another_network_is_refused(checkpoints: Path) -> None:
    torch.save({"fc.bias": torch.zeros(1000)}, checkpoints / "new.pth")
    with pytest.raises(RuntimeError, match="Missing key"):
        load_backbone(publish(checkpoints / "new.pth"))


def test_a_checkpoint_cannot_run_code(checkpoints: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    class Malicious:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (trace,)

    torch.save({"fc.bias": Malicious()}, checkpoints / "new.pth")
    pickle.loads(pickle.dumps(Malicious()))
    assert trace.exists()  # the trap does work, where pickle is trusted
    trace.unlink()
    with pytest.raises(pickle.UnpicklingError):
        load_weights(publish(checkpoints / "new.pth"))
    assert not trace.exists()


def test_the_preferred_backbone_is_used_where_its_file_is(checkpoints: Path) -> None:
    (checkpoints / RESNET18.file_name).write_bytes(b"not looked at yet")
    assert usable_backbone("resnet18") == "resnet18"
    assert usable_backbone(EMBEDDED) == EMBEDDED


@pytest.mark.usefixtures("checkpoints")
@pytest.mark.parametrize("name", ZOO)
def test_the_embedded_backbone_stands_in_for_one_without_a_file(name: str) -> None:
    assert usable_backbone(name) == EMBEDDED


def test_an_unknown_preference_is_told() -> None:
    with pytest.raises(UnknownBackbone, match="vgg16"):
        usable_backbone("vgg16")


def test_both_kinds_are_weights_errors() -> None:
    assert issubclass(WeightsMissing, WeightsError)
    assert issubclass(WeightsDamaged, WeightsError)
