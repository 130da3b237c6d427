"""The fast way to features and logits, on a torch that has the operators of packed convolutions and on one without."""

import logging
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from demo.models import answering
from demo.models.backbone import Backbone


def test_without_its_private_operators_torch_answers_the_same_and_one_line_says_so(
    embedded: Backbone, cat: Image.Image, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = torch.stack([embedded.transform(each) for each in (cat, cat.rotate(90), cat.rotate(180))])
    expected = [embedded.answer(pictures) for pictures in (batch, batch[:1])]
    answering.has_packed_convolutions.cache_clear()
    with monkeypatch.context() as bare, caplog.at_level(logging.WARNING):
        bare.setattr(torch.ops, "mkldnn", SimpleNamespace())
        plain = [Backbone(embedded.spec, embedded.network, embedded.device) for _ in range(2)][1]
        found = [plain.answer(pictures) for pictures in (batch, batch[:1])]
    answering.has_packed_convolutions.cache_clear()
    if torch.backends.mkldnn.is_available():
        (record,) = [each for each in caplog.records if each.name == answering.__name__]
        assert "_reorder_convolution_weight and _convolution_pointwise" in record.getMessage()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="no oneDNN here")
def test_this_torch_has_the_operators() -> None:
    """A torch without them answers right, but more slowly: whoever raises the version should know."""
    assert answering.has_packed_convolutions()
