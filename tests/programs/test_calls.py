"""What a notebook calls: the same numbers as the page's own functions, values that show themselves, and sentences."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import demo
from demo.data.dataset import make_dataset
from demo.data.samples import find_example
from demo.data.starters import read_starter
from demo.models.backbone import Backbone
from demo.models.errors import NotAHeadFile, UnknownBackbone
from demo.models.recipe import Recipe
from demo.models.zoo import EMBEDDED
from demo.programs import calls
from demo.programs.calls import OwnHead
from demo.programs.errors import ClassNotThere, HeadOfAnotherNetwork, NoSuchFile, NoSuchStarter
from demo.settings import Settings
from demo.tasks.cam import Method, map_stages
from demo.tasks.finetune import FineTuned, fine_tune
from demo.tasks.predict import predict
from tests.conftest import PROJECT
from tests.networks import *  # noqa: F403
from tests.pictures import MakeZip, colour_folders

CAT = find_example("cat").path


@pytest.fixture(autouse=True)
def _embedded_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_BACKBONE", EMBEDDED)
    calls._settings.cache_clear()


@pytest.fixture(scope="module")
def head() -> OwnHead:
    trained: OwnHead = demo.fine_tune(demo.starter("signs"), network=EMBEDDED, epochs=5, seed=3)
    return trained


def test_a_picture_is_predicted_as_on_the_page(embedded: Backbone, cat: Image.Image) -> None:
    answer = demo.predict(CAT)
    assert answer.top == predict(embedded, cat).top == demo.predict(cat).top
    assert answer.to_dict()["predictions"][0]["class_name"] == answer.top[0].class_name
    assert repr(answer).startswith(f"{answer.top[0].class_name} {answer.top[0].probability:.1%}, ")


@pytest.mark.slow
def test_a_head_is_trained_as_on_the_page(embedded: Backbone, settings: Settings, head: OwnHead) -> None:
    dataset = make_dataset(read_starter("signs", settings), settings)
    *_, done = fine_tune(embedded, dataset, Recipe(epochs=5, seed=3), settings)
    assert isinstance(done, FineTuned) and head.training is not None
    for name, tensor in done.head.module.state_dict().items():
        assert (head.head.module.state_dict()[name] == tensor).all()
    assert head.training.counts == dataset.counts
    assert len(head.training.epochs) == 5
    correct = head.training.validation.accuracy.correct
    assert (correct, head.training.validation.accuracy.count) == (
        done.head.summary.val_correct,
        done.head.summary.val_count,
    )
    assert head.training.test is not None and head.training.test.accuracy.correct == done.head.summary.test_correct


def test_a_class_is_explained_as_on_the_page(embedded: Backbone, cat: Image.Image) -> None:
    shown = demo.explain(CAT, class_name="Egyptian cat", stage="middle", method="layer_cam")
    idx = embedded.spec.class_names.index("Egyptian cat")
    expected = map_stages(embedded, cat, [idx]).of(idx, shown.class_map.stage, Method.LAYER_CAM)
    np.testing.assert_allclose(shown.class_map.values, expected.values, rtol=1e-4, atol=1e-6)
    assert shown.class_map.stage.value == "middle" and shown.class_name == "Egyptian cat"
    best = demo.explain(CAT)
    assert best.class_name == demo.predict(CAT).top[0].class_name


def test_a_saved_head_says_the_same(head: OwnHead, tmp_path: Path) -> None:
    again = demo.load_head(head.save(tmp_path / "signs.safetensors"))
    assert [each.probability for each in again.predict(CAT).top] == [each.probability for each in head.predict(CAT).top]
    assert again.training is None and again.head.class_names == head.head.class_names
    fresh = again.evaluate(demo.starter("signs", seed=1))
    assert fresh.accuracy.count == fresh.confusion.sum() == 30 * len(head.head.class_names)
    assert fresh.accuracy.share > 0.5  # one of several signs by chance is less


def test_the_held_out_split_of_a_labelled_zip_counts(make_zip: MakeZip, head: OwnHead) -> None:
    files = {f"{split}/{path}": content for split in ("train", "val") for path, content in colour_folders(6).items()}
    own = demo.fine_tune(make_zip(files), epochs=2)
    assert own.evaluate(make_zip(files)).accuracy.count == len(colour_folders(6))
    with pytest.raises(ClassNotThere, match=head.head.class_names[0]):
        head.evaluate(make_zip(files))


def test_values_draw_themselves(head: OwnHead) -> None:
    drawn = [demo.predict(CAT), demo.explain(CAT), head, head.training and head.training.test, head.training]
    for each in drawn:
        assert each is not None and (each._repr_png_() or b"").startswith(b"\x89PNG")
        assert repr(each) and "\n" not in repr(each)


def test_what_cannot_be_done_is_told(head: OwnHead, tmp_path: Path) -> None:
    (tmp_path / "no.safetensors").write_bytes(b"none")
    with pytest.raises(NoSuchFile, match="nowhere"):
        demo.predict("nowhere.jpg")
    with pytest.raises(UnknownBackbone, match="resnet49"):
        demo.predict(CAT, network="resnet49")
    with pytest.raises(HeadOfAnotherNetwork, match="resnet18"):
        demo.predict(CAT, network="resnet18", head=head)
    with pytest.raises(ClassNotThere, match="unicorn"):
        demo.explain(CAT, class_name="unicorn")
    with pytest.raises(NoSuchStarter, match="digits"):
        demo.starter("numbers")
    with pytest.raises(NotAHeadFile):
        demo.load_head(tmp_path / "no.safetensors")
    with pytest.raises(AttributeError, match="nothing"):
        demo.nothing  # noqa: B018


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = json.loads((PROJECT / "docs/notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert all(not cell.get("outputs") for cell in cells)
    script = tmp_path / "notebook.py"
    script.write_text(source.replace("demo/assets", f"{PROJECT}/demo/assets"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    left = runpy.run_path(str(script))
    assert left["fresh"].accuracy.share > 0.9
    assert (tmp_path / "signs.safetensors").is_file()
