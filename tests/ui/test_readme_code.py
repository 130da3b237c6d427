"""README's code runs as it stands there."""

import re
from pathlib import Path

import pytest
from gradio_client import Client, handle_file

from demo.data.samples import find_example
from tests.conftest import PROJECT
from tests.pictures import MakeZip, colour_folders
from tests.served import Server


def test_the_code_runs(server: Server, make_zip: MakeZip, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    uploads = {"cat.jpg": find_example("cat").path, "pets.zip": make_zip(colour_folders())}
    names: dict[str, object] = {}
    client = Client(server.url, verbose=False, analytics_enabled=False, download_files=tmp_path)
    monkeypatch.setattr("gradio_client.Client", lambda _url: client)
    monkeypatch.setattr("gradio_client.handle_file", lambda name: handle_file(uploads.get(name, name)))
    exec(block, names)
    assert str(names["head"]).endswith(".safetensors")
    client.close()
