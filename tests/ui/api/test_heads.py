"""A head travels: what the API trained answers by the API as on the page, and so does what the page exports."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file

from demo.data.samples import find_example
from demo.models.zoo import EMBEDDED
from tests.javascript import run_javascript
from tests.pictures import MakeZip, colour_folders, write_zip
from tests.served import Server
from tests.visitor import Visit, Visitor, recipe_values

PHOTO = find_example("cat").path
Ask = Callable[[str, Path, Path | None], dict[str, Any]]


def ask_by_python(url: str, head: Path, _javascript: Path | None) -> dict[str, Any]:
    client = Client(url, verbose=False, analytics_enabled=False)
    answer: dict[str, Any] = client.predict(image=handle_file(PHOTO), head=handle_file(head), api_name="/predict")
    client.close()
    return answer


def ask_by_javascript(url: str, head: Path, javascript: Path | None) -> dict[str, Any]:
    assert javascript is not None
    program = f"""import {{ Client, handle_file }} from "@gradio/client";
const client = await Client.connect("{url}");
const values = {{ image: handle_file({json.dumps(str(PHOTO))}), head: handle_file({json.dumps(str(head))}) }};
console.log(JSON.stringify((await client.predict("/predict", values)).data[0]));
process.exit();"""
    answer: dict[str, Any] = json.loads(run_javascript(javascript, program, head.parent))
    return answer


def ask_by_curl(url: str, head: Path, _javascript: Path | None) -> dict[str, Any]:
    program = f"""URL={url}/gradio_api
IMAGE=$(curl -s -F files=@{PHOTO} $URL/upload | cut -d '"' -f 2)
HEAD=$(curl -s -F files=@{head} $URL/upload | cut -d '"' -f 2)
SENT='{{"image": "'$IMAGE'", "head": "'$HEAD'"}}'
ID=$(curl -s -H "Content-Type: application/json" -d "$SENT" $URL/call/v2/predict | cut -d '"' -f 4)
curl -sN $URL/call/v2/predict/$ID"""
    answer = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=120).stdout
    ended: dict[str, Any] = json.loads(answer.split("event: complete\ndata: ")[1])[0]
    return ended


CLIENTS: dict[str, Ask] = {"python": ask_by_python, "javascript": ask_by_javascript, "curl": ask_by_curl}


@pytest.fixture(scope="module")
def trained(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The head and the export that the API gives."""
    folder = tmp_path_factory.mktemp("trained")
    archive = write_zip(folder / "colours.zip", colour_folders(10))
    client = Client(server.url, verbose=False, analytics_enabled=False, download_files=folder)
    _, head, export = client.predict(handle_file(archive), epochs=3, api_name="/fine_tune")
    client.close()
    return {"head": Path(head), "export": Path(export)}


def page_says(server: Server, visitor: Visitor, head: Path | None) -> dict[str, float]:
    """Return the probabilities of the photograph on a page, to the last digit."""
    if head is not None:
        visitor.call("import_head", visitor.upload(head))
    visitor.call("choose_photo", visitor.upload(PHOTO))
    seen = server.rooms.see(server.rooms.sessions.attach(visitor.token))
    assert seen is not None
    assert seen.prediction.own_classes
    return {best.class_name: best.probability for best in seen.prediction.top}


def api_says(answer: dict[str, Any]) -> dict[str, float]:
    assert answer["backbone"] == EMBEDDED
    return {best["class_name"]: best["probability"] for best in answer["predictions"]}


@pytest.mark.parametrize("kind", ["head", "export"])
@pytest.mark.parametrize("name", CLIENTS)
def test_a_head_of_the_api_answers_as_on_the_page(
    name: str, kind: str, server: Server, visit: Visit, trained: dict[str, Path], request: pytest.FixtureRequest
) -> None:
    javascript = request.getfixturevalue("javascript") if name == "javascript" else None
    page = page_says(server, visit(), trained[kind])
    assert page.keys() == {"blue", "red"}
    assert api_says(CLIENTS[name](server.url, trained[kind], javascript)) == pytest.approx(page, abs=1e-5)


@pytest.mark.slow
def test_a_head_of_the_page_answers_alike_by_the_api(
    server: Server, visit: Visit, make_zip: MakeZip, tmp_path: Path
) -> None:
    visitor, export = visit(), tmp_path / "export.zip"
    visitor.bring(make_zip(colour_folders(10)))
    visitor.train(*recipe_values(3))
    export.write_bytes(visitor.download(visitor.call("export_trained")[0]))
    assert api_says(ask_by_python(server.url, export, None)) == pytest.approx(
        page_says(server, visitor, None), abs=1e-5
    )


def test_a_head_goes_with_its_own_network_alone(server: Server, trained: dict[str, Path]) -> None:
    client = Client(server.url, verbose=False, analytics_enabled=False)
    values = {"image": handle_file(PHOTO), "head": handle_file(trained["head"])}
    named = client.predict(**values, backbone="EfficientNet-Lite0", api_name="/predict")
    assert named["backbone"] == EMBEDDED
    with pytest.raises(Exception, match=f"The head was trained on {EMBEDDED}, and backbone is resnet50"):
        client.predict(**values, backbone="ResNet-50", api_name="/predict")
    client.close()
