"""Calls that cannot be answered: each client is told what is wrong, in a sentence, and the log stays quiet."""

import asyncio
import json
import logging
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from gradio_client import Client

from demo.ui.api.agents import describe_tools
from demo.words.language import ENGLISH
from tests.agent import call_tools, text_of
from tests.javascript import run_javascript
from tests.pictures import data_url, encode, noise
from tests.served import Server

PICTURE = data_url(encode(noise(1)))
ADDRESS = "https://example.com/cat.jpg"


class Wrong(NamedTuple):
    """A function, what it is sent by name, and a part of the sentence that comes back."""

    function: str
    values: dict[str, Any]
    says: str


WRONG = {
    "nothing": Wrong("predict", {"image": None}, "There is no picture yet"),
    "a bare name": Wrong("predict", {"image": "cat.jpg"}, '"cat.jpg" is no file that has come here'),
    "an address": Wrong("predict", {"image": ADDRESS}, "Files are not fetched from addresses"),
    "file data of an address": Wrong(
        "predict", {"image": {"path": ADDRESS, "meta": {"_type": "gradio.FileData"}}}, "not fetched from addresses"
    ),
    "bare base64": Wrong("predict", {"image": PICTURE.partition(",")[2]}, "is no file that has come here"),
    "a data URL that is not base64": Wrong("predict", {"image": "data:image/png,hello"}, "cannot be decoded"),
    "a data URL that is cut": Wrong("predict", {"image": f"{PICTURE}x"}, "cannot be decoded"),
    "a data URL of no picture": Wrong("predict", {"image": data_url(b"hello")}, '"data" is a text file, not a picture'),
    "a number": Wrong("predict", {"image": 7}, '"7" is no file'),
    "a file of the server": Wrong("predict", {"image": {"path": "/etc/passwd"}}, '"passwd" is no longer here'),
    "5 as a text": Wrong("predict", {"image": PICTURE, "top_k": "5"}, 'top_k is "5"; it must be a number'),
    "0 of 20": Wrong("predict", {"image": PICTURE, "top_k": 0}, "top_k is 0; it must be from 1 to 20"),
    "half of one": Wrong("predict", {"image": PICTURE, "top_k": 2.5}, "top_k is 2.5; it must be a whole number"),
    "an unknown network": Wrong("predict", {"image": PICTURE, "backbone": "vgg99"}, 'no backbone "vgg99"'),
    "a list of networks": Wrong("predict", {"image": PICTURE, "backbone": ["resnet50"]}, "resnet50"),
    "a head that is none": Wrong("predict", {"image": PICTURE, "head": PICTURE}, "is no saved head"),
    "a picture as a zip": Wrong("fine_tune", {"dataset_zip": PICTURE}, "is not a zip file"),
    "no object": Wrong(
        "fine_tune", {"dataset_zip": PICTURE, "recipe": "sgd"}, "recipe is sgd; it must be a JSON object"
    ),
    "a misspelt recipe": Wrong(
        "fine_tune", {"dataset_zip": PICTURE, "recipe": {"optimiser": "sgd"}}, "recipe is optimiser; choose one of"
    ),
    "an unknown optimizer": Wrong(
        "fine_tune", {"dataset_zip": PICTURE, "recipe": {"optimizer": "adam"}}, "optimizer is adam; choose one of"
    ),
    "yes for true": Wrong(
        "fine_tune", {"dataset_zip": PICTURE, "recipe": {"flips": "yes"}}, "choose one of: true, false"
    ),
    "an unknown stage": Wrong("class_map", {"image": PICTURE, "stage": "deep"}, "stage is deep; choose one of"),
    "an unknown class": Wrong("class_map", {"image": PICTURE, "target": "unicorn"}, "There is no class unicorn"),
    "a map of another stage": Wrong(
        "class_map", {"image": PICTURE, "stage": "low", "method": "grad_cam"}, "choose one of: high"
    ),
    # Of these two the clients of gradio are told by gradio.
    "a value too few": Wrong("predict", {}, "image"),
    "an unknown parameter": Wrong("predict", {"image": PICTURE, "picture": 1}, "picture"),
    "an unknown function": Wrong("predict2", {"image": PICTURE}, "predict2"),
}


def ask_by_python(server: Server, _folder: Path, _javascript: Path | None) -> dict[str, str]:
    client = Client(server.url, verbose=False, analytics_enabled=False)
    said = {}
    for name, wrong in WRONG.items():
        with pytest.raises(Exception) as raised:
            client.predict(**wrong.values, api_name=f"/{wrong.function}")
        said[name] = str(raised.value)
    client.close()
    return said


def ask_by_curl(server: Server, folder: Path, _javascript: Path | None) -> dict[str, str]:
    said = {}
    for name, wrong in WRONG.items():
        call = f"{server.url}/gradio_api/call/v2/{wrong.function}"
        sent = ["-H", "Content-Type: application/json", "-d", json.dumps(wrong.values)]
        answer = json.loads(subprocess.check_output(["curl", "-s", *sent, call], cwd=folder))
        if "event_id" in answer:
            stream = subprocess.check_output(["curl", "-sN", f"{call}/{answer['event_id']}"], text=True)
            event, data = stream.strip().splitlines()[-2:]
            assert event == "event: error", name
            answer = {"detail": json.loads(data.removeprefix("data: "))["error"]}
        said[name] = answer["detail"]
    return said


def ask_by_javascript(server: Server, folder: Path, javascript: Path | None) -> dict[str, str]:
    assert javascript is not None
    calls = {name: [f"/{wrong.function}", wrong.values] for name, wrong in WRONG.items()}
    program = f"""import {{ Client }} from "@gradio/client";
const client = await Client.connect("{server.url}");
const said = {{}};
for (const [name, [endpoint, values]] of Object.entries({json.dumps(calls)})) {{
  try {{ await client.predict(endpoint, values); }} catch (error) {{ said[name] = error.message ?? String(error); }}
}}
console.log(JSON.stringify(said));
process.exit();"""
    said: dict[str, str] = json.loads(run_javascript(javascript, program, folder).splitlines()[-1])
    return said


def ask_as_agent(server: Server, _folder: Path, _javascript: Path | None) -> dict[str, str]:
    results = asyncio.run(call_tools(server.url, [(each.function, each.values) for each in WRONG.values()]))
    assert all(each.isError for each in results)
    return {name: text_of(each) for name, each in zip(WRONG, results, strict=True)}


CLIENTS: dict[str, Callable[[Server, Path, Path | None], dict[str, str]]] = {
    "python": ask_by_python,
    "curl": ask_by_curl,
    "javascript": ask_by_javascript,
    "agent": ask_as_agent,
}


@pytest.mark.parametrize("name", CLIENTS)
def test_each_wrong_call_gets_a_sentence(
    name: str,
    server: Server,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    javascript = request.getfixturevalue("javascript") if name == "javascript" else None
    with caplog.at_level(logging.WARNING):
        said = CLIENTS[name](server, tmp_path, javascript)
    assert said.keys() == WRONG.keys()
    wrong = {case: sentence for case, sentence in said.items() if WRONG[case].says not in sentence}
    assert not wrong
    assert "Traceback" not in "".join(capfd.readouterr()) + caplog.text
    assert not [each.getMessage() for each in caplog.records if each.name.startswith(("demo", "mcp", "gradio"))]


def test_agents_have_the_tools_that_the_wrong_calls_call() -> None:
    assert {each.function for each in WRONG.values()} - describe_tools(ENGLISH.api).keys() == {"predict2"}
