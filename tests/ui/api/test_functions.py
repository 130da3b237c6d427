"""What each function of the API gives, as a program on another machine uses it."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from safetensors.torch import load_file

from demo.command.line import main
from demo.data.samples import find_example
from demo.models.zoo import EMBEDDED, ZOO
from demo.programs import calls
from demo.visitors.errors import TrainingStopped
from tests.patience import PATIENCE_S
from tests.pictures import MakeZip, colour_folders, data_url
from tests.served import Server

CAT = find_example("cat").path


@pytest.fixture(scope="module")
def client(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("downloads")
    client = Client(server.url, verbose=False, analytics_enabled=False, download_files=folder)
    yield client
    client.close()


def small_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in colour_folders(6).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_batch_is_files_or_a_zip(client: Client, make_zip: MakeZip) -> None:
    text = CAT.parent / "README.md"
    files, csv = client.predict([handle_file(CAT), handle_file(text)], top_k=2, api_name="/predict_batch")
    archive = make_zip({"a/cat.jpg": CAT.read_bytes(), "b/notes.md": b"hello"})
    zipped, _ = client.predict(handle_file(archive), top_k=2, api_name="/predict_batch")
    for answer, names in ((files, [CAT.name, "README.md"]), (zipped, ["a/cat.jpg", "b/notes.md"])):
        seen, unread = answer["pictures"]
        assert [seen["name"], unread["name"]] == names
        assert [best["class_name"] for best in seen["predictions"]] == ["tiger cat", "Egyptian cat"]
        assert (seen["error"], unread["predictions"]) == (None, [])
        assert "is a text file, not a picture" in unread["error"]
    rows = Path(csv).read_text(encoding="utf-8-sig").splitlines()
    assert rows[0] == "name,class_1,probability_1,class_2,probability_2,error"
    assert [row.split(",")[:2] for row in rows[1:]] == [[CAT.name, "tiger cat"], ["README.md", ""]]


def test_a_class_map_is_of_any_class_and_stage(client: Client) -> None:
    sides = {"low": 56, "middle": 14, "high": 7}
    for stage, side in sides.items():
        answer, picture = client.predict(handle_file(CAT), target="tabby", stage=stage, api_name="/class_map")
        assert (answer["class_name"], answer["class_index"], answer["stage"]) == ("tabby", 281, stage)
        assert (len(answer["values"]), len(answer["values"][0])) == (side, side)
        assert min(min(row) for row in answer["values"]) >= 0
        with Image.open(picture) as image:
            assert image.format == "PNG"
    by_number, _ = client.predict(handle_file(CAT), target=281, method="grad_cam", api_name="/class_map")
    best, _ = client.predict(handle_file(CAT), api_name="/class_map")
    assert (by_number["class_name"], best["class_name"]) == ("tabby", "tiger cat")


def test_activations_of_one_stage(client: Client) -> None:
    answer, low, middle, high = client.predict(handle_file(CAT), stage="middle", api_name="/activations")
    assert [each["label"] for each in answer["stages"]] == ["middle"]
    assert (low, high) == (None, None)
    assert str(middle).endswith(".png")


def test_networks_are_told_with_their_facts(client: Client) -> None:
    networks = {each["name"]: each for each in client.predict(api_name="/networks")["networks"]}
    assert list(networks) == list(ZOO)
    ours, facts = networks[EMBEDDED], ZOO[EMBEDDED].facts
    assert (ours["parameters"], ours["gflops"], ours["top1"]) == (facts.num_parameters, facts.gflops, facts.top1)
    assert (ours["year"], ours["is_here"], ours["is_default"]) == (2020, True, True)


def test_a_training_tells_how_far_it_is_and_obeys_recipe_seed_and_split(client: Client, make_zip: MakeZip) -> None:
    archive = make_zip(colour_folders(12))
    asked = {"recipe": {"optimizer": "sgd", "hidden_layers": 1, "width": 8}, "epochs": 4, "seed": 3, "split": 5}
    job = client.submit(handle_file(archive), **asked, api_name="/fine_tune")
    report, *files = job.result()
    assert all(file is None for _, *others in job.outputs()[:-1] for file in others)
    told = [answer for answer, *_ in job.outputs()[:-1]]
    assert told
    assert {each["state"] for each in told} <= {"waiting", "reading", "training"}
    assert all(each["says"] for each in told)
    assert report["state"] == "done"
    wanted = {**asked["recipe"], "epochs": 4, "seed": 3, "trains": "head"}  # type: ignore[dict-item]
    assert {name: report["recipe"][name] for name in wanted} == wanted
    assert (report["split"], report["epochs"]) == (5, 4)
    with zipfile.ZipFile(files[1]) as export:
        assert {"head.safetensors", "predict.py", "MODEL_CARD.md", "selftest.json"} <= set(export.namelist())
        assert export.read("head.safetensors") == Path(files[0]).read_bytes()


def test_a_command_gives_for_a_folder_what_the_function_gives_for_its_zip(
    client: Client,
    make_zip: MakeZip,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files, folder, out = colour_folders(12), tmp_path / "pets", tmp_path / "pets.head"
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    report, head, _ = client.predict(handle_file(make_zip(files)), epochs=4, seed=3, api_name="/fine_tune")
    monkeypatch.setenv("DEMO_BACKBONE", EMBEDDED)
    calls._settings.cache_clear()
    options = ["--epochs", "4", "--seed", "3", "--out", str(out), "--json", "--quiet"]
    assert main(["fine-tune", str(folder), *options]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["classes"], said["counts"]) == (report["classes"], report["counts"])
    for split, name in (("validation", "val"), ("test", "test")):
        assert (said[split]["correct"], said[split]["count"]) == (report[f"{name}_correct"], report[f"{name}_count"])
    ours, theirs = load_file(out), load_file(head)
    assert ours.keys() == theirs.keys() and all((ours[each] == theirs[each]).all() for each in ours)


def test_whoever_leaves_ends_the_training(server: Server, held_line: threading.Event) -> None:
    sent = {"dataset_zip": data_url(small_zip()), "epochs": 5}
    begun = httpx.post(f"{server.url}/gradio_api/call/v2/fine_tune", json=sent, verify=False).json()["event_id"]
    address = f"{server.url}/gradio_api/call/v2/fine_tune/{begun}"
    with httpx.stream("GET", address, verify=False, timeout=60) as stream:
        assert next(line for line in stream.iter_lines() if line.startswith("data: ["))
        job = server.rooms.scheduler.jobs[-1]
    assert job.done.wait(PATIENCE_S)
    assert isinstance(job.error, TrainingStopped)
    assert not held_line.is_set()
