"""An ONNX file: it answers as the page does, and says how to use it."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from demo.models.backbone import Backbone
from demo.models.head_metadata import write_metadata
from demo.models.recipe import HeadConfig
from demo.models.zoo import ZOO
from demo.tasks.errors import OnnxFailed
from demo.tasks.onnx import INPUT, OPSET, OUTPUT, write_onnx
from demo.tasks.predict import predict
from tests.heads import FAMILIES, NAMES, UNLIKE, lively, make_head
from tests.pictures import noise

LARGEST = ("resnet50", "densenet121", "inception_v3")  # tried by `make ways`


def run_onnx(path: Path, batch: torch.Tensor) -> np.ndarray:
    (answer,) = onnxruntime.InferenceSession(path).run(None, {INPUT: batch.numpy()})
    return np.asarray(answer)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.ways] * (name in LARGEST)) for name in FAMILIES]
)
def test_each_network_answers_as_here(name: str, tmp_path: Path) -> None:
    backbone, head, expected = lively(ZOO[name])
    before = {key: each.clone() for key, each in backbone.network.state_dict().items()}
    path, side = tmp_path / "model.onnx", backbone.spec.build_transforms().crop_size[0]
    write_onnx(backbone.join(head), side, path, card="# 卡", metadata={"classes": "蜜蜂"})
    onnx.checker.check_model(path, full_check=True)
    batch = torch.stack([backbone.transform(each) for each in UNLIKE])
    for start, stop in ((0, 3), (1, 2)):
        answer = run_onnx(path, batch[start:stop])
        assert answer.shape == (stop - start, 3)
        assert np.abs(answer - expected[start:stop].numpy()).max() < 1e-5
    assert all(torch.equal(each, before[key]) for key, each in backbone.network.state_dict().items())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "is_tuned"),
    [
        (HeadConfig(), False),
        (HeadConfig(2, 64, 0.5), False),
        (HeadConfig(1, 64, 0.5), True),
    ],
)
def test_each_kind_of_head_answers_as_on_the_page(
    embedded: Backbone, tmp_path: Path, config: HeadConfig, is_tuned: bool
) -> None:
    head, picture = make_head(embedded, config, is_tuned=is_tuned), noise(1, size=(300, 260))
    write_onnx(embedded.join(head), 224, tmp_path / "model.onnx", card="", metadata={})
    top = predict(embedded.for_head(head), picture, head=head).top
    expected = [each.probability for each in sorted(top, key=lambda each: each.class_idx)]
    assert run_onnx(tmp_path / "model.onnx", embedded.transform(picture)[None])[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
def test_the_file_says_how_to_use_it_and_is_the_same_each_time(embedded: Backbone, tmp_path: Path) -> None:
    head, contents = make_head(embedded), []
    metadata = write_metadata(head, embedded.spec)
    for name in ("a.onnx", "b.onnx"):
        write_onnx(embedded.join(head), 224, tmp_path / name, card="# A card", metadata=metadata)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    model = onnx.load(tmp_path / "a.onnx")
    assert [each.version for each in model.opset_import] == [OPSET]
    assert model.doc_string == "# A card"
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx")
    assert [(each.name, each.shape, each.type) for each in session.get_inputs()] == [
        (INPUT, ["N", 3, 224, 224], "tensor(float)")
    ]
    assert [(each.name, each.shape) for each in session.get_outputs()] == [(OUTPUT, ["N", 3])]
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["classes"]) == list(NAMES)
    transforms, how = embedded.spec.build_transforms(), json.loads(about["transforms"])
    assert how["mean"] == list(transforms.mean)
    assert (how["resize_size"], how["crop_size"]) == (256, 224)


@pytest.mark.slow
def test_a_network_that_torch_cannot_write_is_an_error_that_says_so(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.FractionalMaxPool2d(2, output_size=1), nn.Flatten()).eval()
    with pytest.raises(OnnxFailed, match=r"torch could not write this network as ONNX .*fractional_max_pool2d"):
        write_onnx(network, 8, tmp_path / "model.onnx", card="", metadata={})
