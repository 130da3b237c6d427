"""The folder for the Hub: timm loads it and answers as the page does."""

import json
import zipfile
from pathlib import Path

import pytest
import timm
import torch
from safetensors import safe_open
from timm.data import create_transform, resolve_data_config

from demo.models.backbone import Backbone
from demo.models.recipe import HeadConfig
from demo.models.zoo import ZOO
from demo.tasks.errors import HeadNotLinear, NotInTimm
from demo.tasks.timm_folder import check_timm, write_timm_folder, zip_folder
from tests.conftest import names_to_try
from tests.heads import FAMILIES, NAMES, UNLIKE, light_head, lively, make_head
from tests.pictures import noise

IN_TIMM = [spec.name for spec in ZOO.values() if spec.timm_name]


def test_all_networks_but_two_are_in_timm() -> None:
    assert ZOO.keys() - set(IN_TIMM) == {"alexnet", "googlenet"}
    assert set(timm.list_models()) >= {ZOO[name].timm_name for name in IN_TIMM}
    assert not timm.list_models("*alexnet*") + timm.list_models("*googlenet*")


@pytest.mark.parametrize(
    "name", names_to_try([each for each in FAMILIES if ZOO[each].timm_name], slow=set(FAMILIES) - {"resnet18"})
)
def test_timm_answers_as_here(name: str, tmp_path: Path) -> None:
    backbone, head, expected = lively(ZOO[name])
    write_timm_folder(backbone, head, tmp_path, card="# A card\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    model = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    transform = create_transform(**resolve_data_config(model=model))
    with torch.inference_mode():
        answers = torch.softmax(model(torch.stack([transform(each) for each in UNLIKE])), dim=1)
    assert (answers - expected).abs().max() < 1e-5
    assert model.pretrained_cfg["label_names"] == list(NAMES)
    assert model.num_classes == len(NAMES)


def test_what_was_trained_with_the_head_is_in_the_folder(embedded: Backbone, tmp_path: Path) -> None:
    head, picture = make_head(embedded, is_tuned=True), noise(0, (300, 260))
    write_timm_folder(embedded, head, tmp_path, card="")
    model = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    logits = head.logits(embedded.for_head(head).run([picture]).features)
    with torch.inference_mode():
        answer = model(embedded.transform(picture)[None])
    assert torch.allclose(torch.softmax(answer, 1), torch.softmax(logits, 1), atol=1e-5)


def test_the_zip_holds_the_files_without_a_time(embedded: Backbone, tmp_path: Path) -> None:
    folder, head, contents = tmp_path / "folder", make_head(embedded), []
    folder.mkdir()
    for name in ("a.zip", "b.zip"):
        write_timm_folder(embedded, head, folder, card="# 卡\n")
        zip_folder(folder, tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["README.md", "config.json", "model.safetensors"]
        assert archive.testzip() is None
        assert archive.read("README.md").decode() == "# 卡\n"
        config = json.loads(archive.read("config.json"))
    assert (config["architecture"], config["num_classes"]) == ("tf_efficientnet_lite0", 3)
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_what_does_not_fit_timm_is_said_before_anything_is_written(embedded: Backbone, tmp_path: Path) -> None:
    with pytest.raises(HeadNotLinear):
        write_timm_folder(embedded, make_head(embedded, HeadConfig(1, 64)), tmp_path, card="")
    with pytest.raises(NotInTimm, match="GoogLeNet"):
        check_timm(ZOO["googlenet"], light_head(backbone="googlenet"))
    assert not list(tmp_path.iterdir())
