"""The public API, as a program on another machine uses it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from safetensors import safe_open

from demo.data.samples import find_example
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.tasks.cam import Method
from demo.ui.api.endpoints import ENDPOINTS
from demo.ui.finetune.recipe_form import RecipeForm
from demo.ui.server.internals import get_upload_folder
from demo.words.language import ENGLISH
from tests.pictures import MakeZip, colour_folders, data_url, encode, files_below, noise
from tests.served import Server
from tests.visitor import Refused, Visit, recipe_values

CAT = find_example("cat").path


@pytest.fixture(scope="module")
def client(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(
        server.url, verbose=False, analytics_enabled=False, download_files=tmp_path_factory.mktemp("downloads")
    )
    yield client
    client.close()


def refusal(client: Client, *values: Any, api_name: str) -> str:
    with pytest.raises(AppError) as refused:
        client.predict(*values, api_name=api_name)
    return str(refused.value)


def test_the_endpoints_are_all_that_is_public(client: Client) -> None:
    api = client.view_api(return_format="dict", print_info=False)
    assert set(api["named_endpoints"]) == {f"/{name}" for name in ENDPOINTS}
    assert not api["unnamed_endpoints"]


def test_the_endpoints_are_documented_and_typed(client: Client) -> None:
    for name, endpoint in client.view_api(return_format="dict", print_info=False)["named_endpoints"].items():
        assert endpoint["description"], name
        assert all(parameter["label"] == parameter["parameter_name"] for parameter in endpoint["parameters"])


def test_predict_names_the_cat(client: Client) -> None:
    answer = client.predict(handle_file(CAT), "", 3, api_name="/predict")
    assert set(answer) == {"backbone", "seconds", "predictions", "notes"}
    assert answer["backbone"] == EMBEDDED
    assert answer["predictions"][0]["class_name"] == "tiger cat"
    assert [set(each) for each in answer["predictions"]] == [{"class_index", "class_name", "probability"}] * 3
    probabilities = [each["probability"] for each in answer["predictions"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert answer["notes"] == []


def test_predict_has_defaults(client: Client) -> None:
    assert len(client.predict(image=handle_file(CAT), api_name="/predict")["predictions"]) == 5


def test_fine_tune_gives_a_report_and_a_head(client: Client, make_zip: MakeZip) -> None:
    archive = make_zip({**colour_folders(10), "red/notes.txt": b"not a picture"})
    report, head, _ = client.predict(handle_file(archive), "", 5, api_name="/fine_tune")
    assert report["classes"] == ["blue", "red"]
    assert report["counts"] == {name: {"train": 6, "validation": 2, "test": 2} for name in ("blue", "red")}
    assert [skipped["name"] for skipped in report["skipped"]] == ["red/notes.txt"]
    assert report["skipped"][0]["reason"]
    assert (report["val_accuracy"], report["val_count"]) == (1.0, 4)
    assert report["train_accuracy"] == 1.0
    assert (report["test_accuracy"], report["test_correct"], report["test_count"]) == (1.0, 4, 4)
    assert report["val_interval"] == report["test_interval"] == pytest.approx([0.51, 1.0], abs=0.001)
    assert (report["val_balanced_accuracy"], report["test_balanced_accuracy"]) == (None, None)  # equally many of each
    assert report["classes_balanced"] is False
    assert report["seconds"] > 0
    with safe_open(head, "pt") as tensors:
        assert json.loads(tensors.metadata()["classes"]) == ["blue", "red"]
        assert tensors.metadata()["backbone"] == EMBEDDED
        assert {name: tensors.get_slice(name).get_shape() for name in tensors.keys()} == {  # noqa: SIM118
            "head.weight": [2, 1280],
            "head.bias": [2],
        }


def test_fine_tune_tells_that_it_balanced_the_classes(client: Client, make_zip: MakeZip) -> None:
    files = {
        f"{name}/{n}.png": encode(noise(9 * n + len(name)))
        for name, count in (("a", 12), ("bb", 3))
        for n in range(count)
    }
    report, *_ = client.predict(handle_file(make_zip(files)), "", 5, api_name="/fine_tune")
    assert report["classes_balanced"] is True
    assert 0 <= report["val_balanced_accuracy"] <= 1
    assert (report["test_accuracy"], report["test_count"], report["test_interval"]) == (None, 0, None)


def test_activations_gives_three_stages_and_pictures(client: Client) -> None:
    answer, *pictures = client.predict(handle_file(CAT), api_name="/activations")
    assert [(each["label"], each["shape"], each["stride"]) for each in answer["stages"]] == [
        ("low", [144, 56, 56], 4),
        ("middle", [672, 14, 14], 16),
        ("high", [1280, 7, 7], 32),
    ]
    assert [each["name"] for each in answer["stages"]] == ["blocks.2.0.bn1", "blocks.4.1.bn1", "bn2"]
    for picture in pictures:
        with Image.open(picture) as image:
            assert image.format == "PNG"
            assert image.width > image.height >= 224


def test_no_endpoint_opens_a_session(client: Client, server: Server) -> None:
    before = set(server.rooms.sessions._sessions)
    client.predict(handle_file(CAT), "", 1, api_name="/predict")
    client.predict(handle_file(CAT), "", api_name="/activations")
    assert set(server.rooms.sessions._sessions) <= before


def test_a_picture_is_asked_for(client: Client) -> None:
    assert "There is no picture yet" in refusal(client, None, "", 5, api_name="/predict")
    assert "There is no picture yet" in refusal(client, None, "", api_name="/activations")


def test_what_is_no_picture_is_refused_by_name(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "R&D.png"
    path.write_bytes(b"not a picture")
    assert '"R&D.png" is a text file, not a picture.' in refusal(client, handle_file(path), "", 5, api_name="/predict")


def test_a_picture_with_too_many_pixels_is_refused(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(encode(Image.new("1", (9_000, 9_000))))
    assert "9000 x 9000" in refusal(client, handle_file(path), "", 5, api_name="/predict")


@pytest.mark.parametrize("top_k", [0, 21, 2.5, True, "5", None])
def test_top_k_is_checked(client: Client, top_k: Any) -> None:
    assert f"top_k is {json.dumps(top_k) if isinstance(top_k, str) else top_k}" in refusal(
        client, handle_file(CAT), "", top_k, api_name="/predict"
    )


@pytest.mark.parametrize("epochs", [0, 201, 2.5, True, "five", [3]])
def test_the_page_and_the_api_refuse_a_number_in_the_same_words(
    client: Client, visit: Visit, make_zip: MakeZip, epochs: Any
) -> None:
    with pytest.raises(Refused) as refused:
        visit().call("start_training", *recipe_values(epochs))
    archive = handle_file(make_zip(colour_folders()))
    assert str(refused.value) == refusal(client, archive, "", epochs, api_name="/fine_tune")


def test_an_unknown_backbone_is_refused_with_the_known_ones(client: Client) -> None:
    sentence = refusal(client, handle_file(CAT), "vgg99", 5, api_name="/predict")
    assert 'no backbone "vgg99"' in sentence
    assert EMBEDDED in sentence


def test_a_backbone_without_weights_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    sentence = refusal(client, handle_file(CAT), "resnet152", 5, api_name="/predict")
    assert "The weights of ResNet-152" in sentence


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "holds no picture"),
        ({"cat/1.png": encode(noise(1)), "cat/2.png": encode(noise(2))}, "1 class to tell apart"),
        ({"cat/1.png": encode(noise(1)), "cat/2.png": encode(noise(2)), "dog/1.png": encode(noise(3))}, '"dog" has 1'),
    ],
    ids=["empty", "one class", "one picture"],
)
def test_a_zip_that_is_no_dataset_is_refused(
    client: Client, make_zip: MakeZip, files: dict[str, bytes], sentence: str
) -> None:
    assert sentence in refusal(client, handle_file(make_zip(files)), "", 5, api_name="/fine_tune")


def test_other_archives_are_refused_by_their_kind(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "pictures.rar"
    path.write_bytes(b"Rar!\x1a\x07\x01\x00" + bytes(100))
    assert '"pictures.rar" is not a zip file (RAR)' in refusal(client, handle_file(path), "", 5, api_name="/fine_tune")


def test_the_number_of_epochs_is_checked(client: Client, make_zip: MakeZip) -> None:
    archive = handle_file(make_zip(colour_folders()))
    assert "epochs is 1000000" in refusal(client, archive, "", 1_000_000, api_name="/fine_tune")


def test_every_parameter_and_choice_is_published(client: Client, server: Server) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    paths = httpx.get(f"{server.url}/gradio_api/openapi.json", verify=False).json()["paths"]
    for name, endpoint in endpoints.items():
        posted = paths[f"/gradio_api/call/v2{name}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        for parameter in endpoint["parameters"]:
            told = ENGLISH.api.parameters[parameter["parameter_name"]]
            assert parameter["python_type"]["description"] == told
            assert posted["properties"][parameter["parameter_name"]]["description"].startswith(told)
        assert posted["required"] == ENDPOINTS[name.removeprefix("/")].required
    types = {each["parameter_name"]: each["type"] for each in endpoints["/class_map"]["parameters"]}
    assert types["backbone"]["enum"] == ["", *ZOO]
    assert (types["stage"]["enum"], types["method"]["enum"]) == ([*StageLabel], [*Method])
    recipe = {each["parameter_name"]: each["type"] for each in endpoints["/fine_tune"]["parameters"]}["recipe"]
    assert list(recipe["properties"]) == list(RecipeForm._fields) == list(ENGLISH.api.recipe)


def test_a_data_url_is_taken_wherever_a_path_is(client: Client) -> None:
    url = data_url(CAT.read_bytes()) if CAT.stat().st_size < 700_000 else data_url(encode(noise(1)))
    before = files_below(Path(get_upload_folder()))
    expected = client.predict(handle_file(CAT), top_k=1, api_name="/predict")["predictions"]
    for image in (url, {"url": url}, {"path": url}, {"path": None, "url": url}):
        assert client.predict(image, top_k=1, api_name="/predict")["predictions"] == expected
    assert files_below(Path(get_upload_folder())) <= before  # of which some may be swept meanwhile


def test_old_programs_need_not_know_new_parameters(server: Server) -> None:
    call, sent = f"{server.url}/gradio_api/call/predict", {"data": [{"url": data_url(encode(noise(1)))}, "", 2]}
    begun = httpx.post(call, json=sent, verify=False).json()["event_id"]
    assert "event: complete" in httpx.get(f"{call}/{begun}", verify=False).text
    for data, sentence in (
        ([], "predict needs image"),
        ([1, 2, 3, 4, 5], "predict was sent 5 values, more than it takes"),
        ("cat.jpg", 'predict takes its values as a list, "data"'),
    ):
        refused = httpx.post(call, json={"data": data}, verify=False)
        assert refused.status_code == 400
        assert sentence in refused.json()["detail"]
