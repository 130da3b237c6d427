"""What the page says of its API: it names the endpoints as they are, and its examples run as they are shown."""

import contextlib
import io
import json
import subprocess
from pathlib import Path

import pytest

from demo.ui.api.endpoints import ENDPOINTS
from demo.ui.api_panel import draw_api, write_curl, write_javascript, write_python
from demo.words.language import CHINESE, ENGLISH, Words
from tests.conftest import names_to_try
from tests.javascript import run_javascript
from tests.pictures import colour_folders, encode, noise, write_zip
from tests.served import Server
from tests.visitor import Markup

SLOW = ["activations", "class_map", "fine_tune", "predict_batch"]
# What is in the answer of each.
TELLING = {
    "predict": "probability",
    "predict_batch": "predictions.csv",
    "fine_tune": ".safetensors",
    "class_map": "class_map_high.png",
    "activations": "low.png",
    "networks": "efficientnet_lite0",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the examples send."""
    (tmp_path / "photo.jpg").write_bytes(encode(noise(1)))
    write_zip(tmp_path / "pictures.zip", colour_folders(10))
    write_zip(tmp_path / "photos.zip", {"a.png": encode(noise(2)), "b.png": encode(noise(3))})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
def test_every_endpoint_is_told_with_all_that_it_takes(words: Words) -> None:
    ours, parameters = words.api, {name for each in ENDPOINTS.values() for name in each.defaults}
    assert ours.does.keys() == ours.answers.keys() == ENDPOINTS.keys()
    assert ours.parameters.keys() == parameters
    shown = "".join(Markup(draw_api(words)).texts)
    told = (ours.does, ours.answers, ours.parameters, ours.recipe)
    assert all(text in shown for each in told for text in each.values())


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("api_name", names_to_try(ENDPOINTS, slow=SLOW))
def test_the_example_in_python_runs_as_it_is_shown(server: Server, api_name: str) -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(write_python(api_name, server.url), "example", "exec"), {})
    assert TELLING[api_name] in said.getvalue()


@pytest.mark.parametrize("api_name", names_to_try(ENDPOINTS, slow=SLOW))
def test_the_example_in_javascript_runs_as_it_is_shown(
    server: Server, folder: Path, javascript: Path, api_name: str
) -> None:
    assert TELLING[api_name] in run_javascript(javascript, write_javascript(api_name, server.url), folder)


@pytest.mark.parametrize("api_name", names_to_try(ENDPOINTS, slow=SLOW))
def test_the_example_for_curl_runs_as_it_is_shown(server: Server, folder: Path, api_name: str) -> None:
    program = write_curl(api_name, server.url)
    answer = subprocess.run(["bash", "-c", program], cwd=folder, capture_output=True, text=True, timeout=120).stdout
    assert "event: complete" in answer, answer
    (data,) = [line for line in answer.split("event: complete\n")[1].splitlines() if line.startswith("data: ")]
    assert TELLING[api_name] in json.dumps(json.loads(data.removeprefix("data: ")))
