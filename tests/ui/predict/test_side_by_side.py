"""Networks side by side on the page: on the photograph, and on a batch of pictures."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from demo.models.zoo import EMBEDDED, BackboneSpec
from demo.tasks.predict import ClassProbability, Prediction
from demo.ui.predict.side_by_side import BatchTable, draw_comparison
from demo.words.language import ENGLISH
from tests.pictures import png
from tests.served import Server
from tests.visitor import Refused, Visitor, fill
from tests.weights_host import Resource, WeightsHost, path_of


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    visitor = Visitor(server.url)
    yield visitor
    visitor.close()


def prediction(*names: str) -> Prediction:
    top = tuple(ClassProbability(idx, name, 0.5) for idx, name in enumerate(names))
    return Prediction(EMBEDDED, False, top, torch.zeros(3, 1, 1), 0.1)


def test_the_agreed_classes_are_marked() -> None:
    shown = draw_comparison(ENGLISH, [EMBEDDED, EMBEDDED], [prediction("cat", "lynx"), prediction("cat", "<dog>")])
    assert ENGLISH.predict.side_by_side.all_agree in shown
    assert shown.count("✓") == 2
    assert "<dog>" not in shown


def test_a_batch_gives_a_table_and_a_csv(visitor: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.ui.predict.side_by_side.MIN_NETWORKS", 1)
    uploads = []
    for name, content in (("=red.png", png()), ("broken.png", b"no picture")):
        path = tmp_path / name
        path.write_bytes(content)
        uploads.append({**visitor.upload(path), "orig_name": name})
    batch = fill(BatchTable, visitor.call("predict_pictures", [EMBEDDED], uploads))
    assert "=red.png" in batch.table
    assert "it is a text file, not a picture" in batch.table
    rows = list(csv.reader(io.StringIO(Path(batch.csv_file["value"]["path"]).read_text(encoding="utf-8-sig"))))
    assert rows[0] == ["Picture", "EfficientNet-Lite0", "Probability", ENGLISH.predict.side_by_side.batch_notes]
    assert rows[1][0] == "'=red.png"
    assert rows[1][3] == ENGLISH.photo.notes["one_colour"]
    assert 0 < float(rows[1][2]) <= 1


def test_a_network_that_cannot_be_had_spoils_no_batch(
    visitor: Visitor, host: WeightsHost, resnet18: BackboneSpec, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png())
    assert visitor.call("bring_networks", [resnet18.name, EMBEDDED]) == [""]
    assert path_of(resnet18) in [each.path for each in host.log]
    networks = ["resnet34", EMBEDDED]  # no other test loads it
    batch = fill(BatchTable, visitor.call("predict_pictures", networks, [visitor.upload(path) for _ in range(3)]))
    assert batch.table.count("The weights of ResNet-34 could not be had") == 1
    rows = list(csv.reader(io.StringIO(visitor.download(batch.csv_file).decode("utf-8-sig"))))
    absent = ENGLISH.predict.side_by_side.absent
    assert [row[1:3] for row in rows] == [["ResNet-34", "Probability"], *[[absent, ""]] * 3]
    assert all(0 < float(row[4]) <= 1 for row in rows[1:])


@pytest.mark.parametrize("networks", [[], [EMBEDDED], ["alexnet", "googlenet", "resnet18", "resnet34", "resnet50"]])
def test_two_to_four_networks_are_compared(visitor: Visitor, networks: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png())
    visitor.call("choose_photo", visitor.upload(path))
    with pytest.raises(Refused, match=f"{len(networks)} network.* choose 2 to 4"):
        visitor.call("compare_networks", networks)


def test_a_picture_is_compared_and_the_agreement_marked(
    visitor: Visitor, host: WeightsHost, resnet18: BackboneSpec, checkpoint: bytes, tmp_path: Path
) -> None:
    host.resources[path_of(resnet18)] = Resource(checkpoint)
    path = tmp_path / "picture.png"
    Image.new("RGB", (40, 30), "red").save(path)
    visitor.call("choose_photo", visitor.upload(path))
    (shown,) = visitor.call("compare_networks", ["resnet18", EMBEDDED])
    assert shown.count("<section>") == 2
    assert ENGLISH.predict.side_by_side.not_all_agree in shown


def test_a_network_that_cannot_be_had_is_named_in_the_comparison(
    visitor: Visitor, resnet18: BackboneSpec, tmp_path: Path
) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (40, 30), "red").save(path)
    visitor.call("choose_photo", visitor.upload(path))
    (shown,) = visitor.call("compare_networks", [resnet18.name, EMBEDDED])
    assert "The weights of ResNet-18 could not be had" in shown
    assert shown.count("<li") == 5
