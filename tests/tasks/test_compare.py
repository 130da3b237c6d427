"""Networks side by side, and tables that are safe to open."""

import csv
import io
from pathlib import Path

import pytest
import torch

from demo.models.zoo import EMBEDDED
from demo.tasks.compare import agree, find_agreed, to_csv
from demo.tasks.predict import ClassProbability, Prediction
from demo.ui.predict.side_by_side import draw_comparison
from demo.words.language import ENGLISH
from tests.pictures import png
from tests.served import Server
from tests.visitor import Refused, Visitor


def prediction(*names: str) -> Prediction:
    top = tuple(ClassProbability(idx, name, 0.5) for idx, name in enumerate(names))
    return Prediction(EMBEDDED, False, top, torch.zeros(3, 1, 1), 0.1)


def test_agreed_is_what_all_have_among_their_best() -> None:
    both = [prediction("cat", "lynx"), prediction("lynx", "dog")]
    assert find_agreed(both) == {"lynx"}
    assert not agree(both)
    assert agree([prediction("cat", "lynx"), prediction("cat", "dog")])


def test_the_agreed_classes_are_marked() -> None:
    shown = draw_comparison(ENGLISH, [EMBEDDED, EMBEDDED], [prediction("cat", "lynx"), prediction("cat", "<dog>")])
    assert ENGLISH.predict.side_by_side.all_agree in shown
    assert shown.count("✓") == 2
    assert "<dog>" not in shown


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    (_, (written, other)) = csv.reader(io.StringIO(to_csv(["a", "b"], [[cell, "cat"]]).decode("utf-8-sig"), newline=""))
    assert written == f"'{cell}"
    assert other == "cat"


def test_a_batch_gives_a_table_and_a_csv(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Visitor(server.url)
    monkeypatch.setattr("demo.ui.predict.side_by_side.MIN_NETWORKS", 1)
    uploads = []
    for name, content in (("=red.png", png()), ("broken.png", b"no picture")):
        path = tmp_path / name
        path.write_bytes(content)
        uploads.append({**visitor.upload(path), "orig_name": name})
    table, csv_file = visitor.call("predict_batch", [EMBEDDED], uploads)
    assert "=red.png" in table
    assert "is not a picture" in table
    rows = list(csv.reader(io.StringIO(Path(csv_file["value"]["path"]).read_text(encoding="utf-8-sig"))))
    assert rows[0] == ["Picture", "EfficientNet-Lite0", "Probability"]
    assert rows[1][0] == "'=red.png"
    assert 0 < float(rows[1][2]) <= 1
    visitor.close()


@pytest.mark.parametrize("networks", [[], [EMBEDDED], ["alexnet", "googlenet", "resnet18", "resnet34", "resnet50"]])
def test_two_to_four_networks_are_compared(server: Server, networks: list[str], tmp_path: Path) -> None:
    visitor, path = Visitor(server.url), tmp_path / "a.png"
    path.write_bytes(png())
    visitor.call("choose_photo", visitor.upload(path))
    with pytest.raises(Refused, match=f"{len(networks)} network.* choose 2 to 4"):
        visitor.call("compare_networks", networks)
    visitor.close()
