"""What a visitor takes along and brings back, and that nobody else gets any of it."""

import gc
import hashlib
import html
import io
import json
import pickle
import re
import threading
import types
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import timm
import torch

from demo.data.dataset import Split
from demo.data.errors import NotAnImage
from demo.data.samples import find_example
from demo.models.errors import HeadFileDamaged, HeadValuesWrong, NoHeadFile, NotAHeadFile
from demo.models.zoo import EMBEDDED, ZOO
from demo.tasks import standalone
from demo.tasks.errors import HeadNotLinear, HubNameTaken, HubTokenRefused
from demo.tasks.features import CommonFeatures
from demo.tasks.onnx import INPUT
from demo.ui.finetune.keep.panel import Import, Push
from demo.ui.finetune.results import ResultsPanel
from demo.ui.parts.markup import draw_picture
from demo.ui.server.internals import get_upload_folder
from demo.ui.server.uploads import KEPT
from demo.visitors.errors import NoHead
from demo.visitors.session import Session, Trained
from demo.words.language import CHINESE, ENGLISH, Words
from tests.conftest import names_to_try
from tests.hub_host import TOKEN, HubHost, replace_hub
from tests.pictures import MakeZip, colour_folders, encode, noise
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, Visitor, best_classes, fill, recipe_values

CAT = find_example("cat").path
HOSTILE = "<img src=x onerror=alert(1)>"
RIDGE = recipe_values(optimizer="ridge")
RECIPES = {
    "a linear layer": RIDGE,
    "hidden layers": recipe_values(2, hidden_layers=2, width=16, dropout=0.5),
    "the last stage": recipe_values(1, trains="last_stage", batch_size=4, flips=False),
}
MAX_OBJECTS = 100_000


def members(export: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(export)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def take(visitor: Visitor) -> bytes:
    """Export the head of a page."""
    return visitor.download(visitor.call("export_trained")[0])


def give(visitor: Visitor, path: Path) -> str:
    """Bring a head to a page, and return what it says."""
    return str(Import(*visitor.call("import_head", visitor.upload(path))).status)


def send(visitor: Visitor, name: str, token: str) -> list[str]:
    """Send a model to the Hub, and return what the page says; the field of the token is empty afterwards."""
    sent = Push(*visitor.call("push_trained", name, token))
    assert sent.token == ""
    return Markup(sent.status).texts


def has_results(visitor: Visitor) -> bool:
    """Show the results of a page's head, and return whether there are any."""
    return bool(fill(ResultsPanel, visitor.call("show_results", "test", None)).whole["visible"])


@pytest.mark.parametrize("name", names_to_try(RECIPES, slow=["the last stage"]))
def test_a_head_that_comes_back_is_the_same(visit: Visit, make_zip: MakeZip, tmp_path: Path, name: str) -> None:
    one, other = visit(), visit()
    for visitor in (one, other):
        visitor.call("choose_photo", visitor.upload(CAT))
    one.bring(make_zip(colour_folders()))
    one.train(*RECIPES[name])
    export = take(one)
    (tmp_path / "export.zip").write_bytes(export)
    assert Markup(give(other, tmp_path / "export.zip")).texts == [
        ENGLISH.finetune.keep.imported.format(names="blue; red")
    ]
    assert best_classes(other.refresh().shown.answer) == best_classes(one.refresh().shown.answer)
    assert "your 2 classes: blue, red" in other.refresh().strip
    again = take(other)
    assert members(again)["head.safetensors"] == members(export)["head.safetensors"]

    # The file alone does as well, and in the other language, in which card and script are written then.
    (tmp_path / "alone.safetensors").write_bytes(members(again)["head.safetensors"])
    third = visit(language="zh")
    assert Markup(give(third, tmp_path / "alone.safetensors")).texts == [
        CHINESE.finetune.keep.imported.format(names="blue；red")
    ]
    third_members = members(take(third))
    assert {name for name, content in third_members.items() if content != members(again)[name]} == {
        "MODEL_CARD.md",
        "predict.py",
    }


def test_an_export_tells_what_the_page_says_and_no_name_of_a_file(
    visit: Visit, server: Server, make_zip: MakeZip
) -> None:
    visitor = visit()
    pictures = {
        f"{name}/my secret {name} {number}.png": encode(noise(seed + number))
        for name, seed in (("ant", 0), ("bee", 50))
        for number in range(10)
    }
    visitor.bring(make_zip(pictures))
    visitor.train(*RIDGE)
    files = members(take(visitor))
    assert files.keys() == {"head.safetensors", "predict.py", "MODEL_CARD.md", "requirements.txt", "selftest.json"}
    assert not any(b"secret" in content for content in files.values())
    trained = server.rooms.sessions.attach(visitor.token).results
    assert trained is not None
    validation = [each for each in trained.dataset.samples if each.split is Split.VALIDATION]
    checks = json.loads(files["selftest.json"])
    assert {each["sha256"] for each in checks[1:]} == {
        hashlib.sha256(pictures[sample.path]).hexdigest() for sample in validation
    }
    assert len(checks) == 1 + len(validation) == 5
    assert all(sum(each["probabilities"]) == pytest.approx(1) for each in checks)


def test_an_imported_head_has_no_results_of_its_own(visit: Visit, make_zip: MakeZip, tmp_path: Path) -> None:
    visitor = visit()
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*RIDGE)
    (tmp_path / "export.zip").write_bytes(take(visitor))
    assert has_results(visitor)
    give(visitor, tmp_path / "export.zip")
    assert not has_results(visitor)
    with pytest.raises(Refused) as refused:
        visitor.call("make_report")
    assert str(refused.value) == ENGLISH.explain(NoHead())
    assert "not known here" in members(take(visitor))["MODEL_CARD.md"].decode()
    assert "Done in" in visitor.train(*RIDGE)
    assert has_results(visitor)


@pytest.mark.slow
def test_the_other_exports_say_what_the_page_says(visit: Visit, make_zip: MakeZip, tmp_path: Path) -> None:
    visitor = visit(language="zh")
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*RIDGE)
    checks = json.loads(members(take(visitor))["selftest.json"])
    synthetic = standalone.make_synthetic()
    (tmp_path / "model.onnx").write_bytes(visitor.download(visitor.call("export_onnx")[0]))
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    batch = ZOO[EMBEDDED].build_transforms()(synthetic)[None].numpy()
    assert session.run(None, {INPUT: batch})[0][0] == pytest.approx(checks[0]["probabilities"], abs=1e-5)
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == ["blue", "red"]
    assert "## 如何运行" in session.get_modelmeta().description
    files = members(visitor.download(visitor.call("export_timm")[0]))
    assert files.keys() == {"README.md", "config.json", "model.safetensors"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    model = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    with torch.inference_mode():
        answer = torch.softmax(model(torch.from_numpy(batch)), dim=1)[0].tolist()
    assert answer == pytest.approx(checks[0]["probabilities"], abs=1e-5)
    assert "language: zh" in files["README.md"].decode()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubHost]:
    """A Hub on this machine, in the place of the real one."""
    host = replace_hub(monkeypatch)
    yield host
    host.close()


def test_a_model_is_sent_to_the_hub_by_the_visitors_own_token(
    visit: Visit, server: Server, hub: HubHost, make_zip: MakeZip
) -> None:
    visitor = visit()
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*RIDGE)
    assert send(visitor, "my-model", TOKEN) == [
        ENGLISH.finetune.keep.share.pushed.format(address=f"{hub.url}/pupil/my-model")
    ]
    assert hub.repositories["pupil/my-model"] == members(visitor.download(visitor.call("export_timm")[0]))
    assert hub.is_private == {"pupil/my-model": True}
    assert send(visitor, "my-model", TOKEN) == [ENGLISH.explain(HubNameTaken(name="my-model"))]
    assert send(visitor, "other", TOKEN[:-1]) == [ENGLISH.explain(HubTokenRefused())]
    # Neither the session, nor gradio's queue, nor a file holds the token, and only what was asked for stays.
    session = server.rooms.sessions.attach(visitor.token)
    assert not any(isinstance(each, str) and TOKEN[:-1] in each for each in reachable(session))
    assert TOKEN[:-1] not in repr(vars(server.page._queue)) + repr(vars(server.rooms))
    assert [path.name for path in session.offers._paths] == ["hub-folder.zip"]
    assert not list(Path(get_upload_folder(), KEPT).glob("*/model"))


@pytest.mark.ways
@pytest.mark.slow
def test_a_head_with_hidden_layers_is_offered_otherwise(visit: Visit, hub: HubHost, make_zip: MakeZip) -> None:
    visitor = visit()
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*RECIPES["hidden layers"])
    with pytest.raises(Refused) as refused:
        visitor.call("export_timm")
    assert str(refused.value) == html.escape(ENGLISH.explain(HeadNotLinear()), quote=False)
    assert send(visitor, "my-model", TOKEN) == [ENGLISH.explain(HeadNotLinear())]
    assert visitor.download(visitor.call("export_onnx")[0])
    assert not hub.log


@pytest.mark.parametrize("handler", ["export_trained", "export_onnx", "export_timm", "make_report", "print_report"])
def test_there_is_nothing_to_take_before_there_is_a_head(visit: Visit, handler: str) -> None:
    with pytest.raises(Refused) as refused:
        visit(language="zh").call(handler)
    assert str(refused.value) == CHINESE.explain(NoHead())


def test_what_is_no_head_is_refused_and_changes_nothing(
    visit: Visit, server: Server, make_zip: MakeZip, tmp_path: Path
) -> None:
    visitor = visit()
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*RIDGE)
    session = server.rooms.sessions.attach(visitor.token)
    before, head = session.state, members(take(visitor))["head.safetensors"]
    path, ran = tmp_path / "head.safetensors", tmp_path / "ran"
    not_finite = HeadValuesWrong(name="head.weight")
    for content, reason in (
        (pickle.dumps(Trap(ran)), NotAHeadFile()),
        (b"just a text", NotAHeadFile()),
        (b"", NotAHeadFile()),
        (make_zip(colour_folders(1)).read_bytes(), NotAHeadFile()),
        (head[:-8] + np.array([np.nan, 0], dtype="<f4").tobytes(), not_finite),
        (head[:-4], HeadFileDamaged(part="tensors")),
        (head.replace(b'"efficientnet_lite0"', b'"efficientnet_lite9"'), None),
    ):
        path.write_bytes(content)
        with pytest.raises(Refused) as refused:
            give(visitor, path)
        assert reason is None or str(refused.value) == ENGLISH.explain(reason)
        assert session.state is before
    with pytest.raises(Refused) as refused:
        visitor.call("import_head", None)
    assert str(refused.value) == ENGLISH.explain(NoHeadFile())
    assert not ran.exists()


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return self.path.write_text, ("it ran",)


def test_class_names_of_somebody_elses_head_are_text(visit: Visit, make_zip: MakeZip, tmp_path: Path) -> None:
    one, other = visit(), visit()
    one.bring(make_zip({name.replace("red", HOSTILE): content for name, content in colour_folders().items()}))
    one.train(*RIDGE)
    (tmp_path / "export.zip").write_bytes(take(one))
    assert HOSTILE in Markup(give(other, tmp_path / "export.zip")).texts[0]
    other.call("choose_photo", other.upload(CAT))
    shown = other.refresh()
    for part in (give(other, tmp_path / "export.zip"), shown.strip, shown.shown.inside):
        assert "img" not in Markup(part).elements
    assert Markup(shown.shown.answer).elements.count("img") == 4  # what the network is given, and three stages


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
def test_the_report_is_one_file_that_asks_for_nothing(visit: Visit, make_zip: MakeZip, words: Words) -> None:
    visitor = visit(language=words.language[:2])
    names = {"red": HOSTILE, "blue": "</style><script>alert(2)</script>"}
    files = {f"{name}/{HOSTILE}{number}.png": encode(noise(seed)) for seed, (name, number) in enumerate(NUMBERED)}
    visitor.bring(make_zip(files))
    for name, hostile in names.items():
        visitor.call("name_class", name, hostile)
    visitor.train(*RIDGE)
    report = visitor.download(visitor.call("make_report")[0]).decode()
    assert visitor.call("print_report")[0] == report
    markup = Markup(report)
    assert report.startswith(f'<!doctype html><html lang="{words.language}">')
    assert not {"script", "link", "iframe", "object", "embed", "form", "base", "a"} & set(markup.elements)
    assert not any(name.startswith("on") or name in ("href", "srcset", "action") for name, _ in markup.attributes)
    assert all(source.startswith("data:image/jpeg;base64,") for source in markup.values("src"))
    assert markup.elements.count("style") == 1
    assert not re.search(r"url\(|@import", report[: report.index("</style>")])
    for name in names.values():
        assert name in markup.texts
    assert words.finetune.keep.report_title in markup.texts
    assert words.finetune.recipe.code_title in markup.texts
    assert any("import torch" in text for text in markup.texts)
    assert {words.finetune.results.test_note, words.finetune.results.validation_note} <= set(markup.texts)


NUMBERED = [(name, number) for name in ("blue", "red") for number in range(10)]


class Recorder(Visitor):
    """A visitor who keeps all that the page ever said, and every file that it gave."""

    def __init__(self, url: str) -> None:
        self.heard = io.StringIO()
        super().__init__(url)

    def call(self, handler: str, *values: Any, **options: Any) -> Any:
        outputs = super().call(handler, *values, **options)
        self.heard.write(json.dumps(outputs, ensure_ascii=False))
        return outputs

    def download(self, shown: dict[str, Any]) -> bytes:
        content = super().download(shown)
        files = members(content) if content.startswith(b"PK") else {"": content}
        self.heard.write("\n".join(each.decode("utf-8", "replace") for each in files.values()))
        return content

    @property
    def all_heard(self) -> str:
        return html.unescape(self.heard.getvalue())


def play(visitor: Visitor, archive: Path, photo: Path, values: list[Any], begin: threading.Barrier) -> None:
    """Go through everything that the second tab has."""
    visitor.call("choose_photo", visitor.upload(photo))
    visitor.bring(archive)
    begin.wait()
    for _ in range(2):
        assert "Done in" in visitor.train(*values)
        visitor.refresh()
        visitor.call("tell_recipe", *values)
        visitor.call("show_results", "test", None)
        visitor.call("show_cell", "test", event_data={"pick": "0,0"})
        visitor.call("show_picture", "test", event_data={"pick": "0"})
        visitor.call("show_novelty", 95)
        visitor.call("start_curve")
        visitor.call("watch_curve")
        take(visitor)
        visitor.download(visitor.call("make_report")[0])
        visitor.call("show_session")


def flock(names: tuple[str, str], seed: int) -> dict[str, bytes]:
    return {
        f"{name}/{name} of visitor {seed} number {number}.png": encode(noise(seed + 50 * which + number))
        for which, name in enumerate(names)
        for number in range(10)
    }


def traces(session: Session) -> set[str]:
    """Return the texts by which something of a session can be recognised in what the page says."""
    assert session.pictures.dataset is not None
    pictures = [sample.picture for sample in session.pictures.dataset.samples]
    thumbnails = {Markup(draw_picture(picture.thumbnail, "")).values("src")[0] for picture in pictures}
    digests = {picture.stored.digest for picture in pictures}
    return {
        session.ref.token,
        *session.pictures.dataset.class_names,
        *thumbnails,
        *digests,
        *(each.path for each in pictures),
    }


def thumbnails(session: Session) -> set[bytes]:
    return {sample.thumbnail for sample in session.pictures.dataset.samples} if session.pictures.dataset else set()


def reachable(start: Any) -> list[Any]:
    """Return all that can be reached from an object.

    Left out is the program itself, its classes, functions and modules, and what is nobody's: the features of starter
    sets, for which another test of the same process may have asked.
    """
    program = type | types.ModuleType | types.FunctionType | types.BuiltinFunctionType | types.CodeType
    nobodys = CommonFeatures
    found, seen = [start], {id(start)}
    for each in found:  # which grows
        for referent in gc.get_referents(each):
            if id(referent) not in seen and not isinstance(referent, program | nobodys):
                seen.add(id(referent))
                found.append(referent)
        assert len(found) < MAX_OBJECTS
    return found


def results_of(session: Session) -> Trained:
    assert session.results is not None
    return session.results


def contents(objects: list[Any]) -> set[bytes]:
    """Return what is in memory of pictures, features and heads: encoded pictures, and rows of arrays and tensors."""
    found = {each for each in objects if isinstance(each, bytes)}
    for each in objects:
        values = each.detach().numpy() if isinstance(each, torch.Tensor) else each
        if isinstance(values, np.ndarray) and values.ndim:
            found |= {row.tobytes() for row in values.reshape(len(values), -1)}
    return {each for each in found if len(each) > 100}  # single numbers may be the same by chance


@pytest.mark.slow
def test_two_who_train_at_once_get_nothing_of_each_other(
    server: Server, visit: Visit, make_zip: MakeZip, tmp_path: Path
) -> None:
    flocks = (flock(("kestrels", "lapwings"), 1000), flock(("medlars", "quinces"), 2000))
    archives, photos = [make_zip(each) for each in flocks], []
    for number in range(2):
        photos.append(tmp_path / f"photo{number}.png")
        photos[-1].write_bytes(encode(noise(number)))
    # The seeds differ, or hidden units that never learn would be the same in both.
    recipes = [recipe_values(20, hidden_layers=1, width=32, batch_size=2, seed=seed) for seed in range(2)]
    visitors, begin = [Recorder(server.url) for _ in flocks], threading.Barrier(2, timeout=120)
    with ThreadPoolExecutor() as pool:
        list(pool.map(play, visitors, archives, photos, recipes, [begin, begin]))
    sessions = [server.rooms.sessions.attach(visitor.token) for visitor in visitors]
    for mine, theirs, visitor, archive, recipe in zip(
        sessions, sessions[::-1], visitors, archives, recipes, strict=True
    ):
        # What the page said:
        assert mine.state.class_names == results_of(mine).dataset.class_names
        assert set(mine.state.class_names) < traces(mine)
        assert [trace for trace in traces(theirs) if trace in visitor.all_heard] == []
        assert len([trace for trace in traces(mine) if trace in visitor.all_heard]) > 20
        # What hangs together in memory:
        objects, other = reachable(mine), results_of(theirs)
        ids = {id(each) for each in objects}
        for each in (
            theirs,
            theirs.state,
            theirs.pictures.collection,
            theirs.pictures.dataset,
            theirs.cache,
            other,
            other.head,
        ):
            assert id(each) not in ids
        texts = {each for each in objects if isinstance(each, str)}
        assert not texts & traces(theirs)
        assert len(texts & traces(mine)) > 20
        assert not contents(objects) & contents(reachable(theirs))
        features, head = results_of(mine).features.values, results_of(mine).head.module
        assert contents([features, *head.parameters(), *thumbnails(mine)]) <= contents(objects)
        # And who trains the same alone gets the same:
        alone = visit()
        alone.bring(archive)
        alone.train(*recipe)
        weights = results_of(server.rooms.sessions.attach(alone.token)).head.module.state_dict()
        for name, weight in results_of(mine).head.module.state_dict().items():
            assert torch.equal(weight, weights[name])
        visitor.close()


def test_an_error_that_is_kept_keeps_nothing_else(visit: Visit, server: Server, make_zip: MakeZip) -> None:
    visitor = visit()
    visitor.bring(make_zip({**colour_folders(), "red/broken.png": b"no picture"}))
    visitor.call("switch_classes", ["red"])
    with pytest.raises(Refused):
        visitor.call("start_training", *RIDGE)
    session = server.rooms.sessions.attach(visitor.token)
    objects = reachable(session)
    ids = {id(each) for each in objects}  # arrays cannot be compared as a whole, so what is meant is found by identity
    assert id(session.pictures.error) in ids
    assert sum(isinstance(each, NotAnImage) for each in objects) == 1
    assert not any(isinstance(each, types.TracebackType | types.FrameType) for each in objects)
    assert id(server.rooms.sessions) not in ids
