"""A push to the Hub: what goes there, what is refused, and that the token stays nowhere."""

import gc
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants

from demo.tasks.errors import (
    HubError,
    HubFailed,
    HubNameTaken,
    HubNameWrong,
    HubNotAllowed,
    HubTokenMissing,
    HubTokenRefused,
)
from demo.tasks.hub import HUB, push_folder
from tests.hub_host import TOKEN, HubHost

FILES = {"README.md": b"# A card\n", "config.json": b"{}", "model.safetensors": bytes(range(256)) * 5_000}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubHost]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # other tests switch the real one off
    host = HubHost()
    yield host
    host.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("stores_large", [True, False])
def test_a_folder_becomes_a_private_repository(hub: HubHost, folder: Path, stores_large: bool) -> None:
    hub.stores_large = stores_large
    assert push_folder(folder, "my-model", TOKEN, endpoint=hub.url) == f"{hub.url}/pupil/my-model"
    assert push_folder(folder, " school/insects ", f" {TOKEN}\n", endpoint=hub.url) == f"{hub.url}/school/insects"
    assert hub.repositories == {"pupil/my-model": FILES, "school/insects": FILES}
    assert set(hub.is_private.values()) == {True}


def test_the_token_goes_to_the_hub_alone_and_is_not_kept(
    hub: HubHost, folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    push_folder(folder, "my-model", TOKEN, endpoint=hub.url)
    for method, path, authorisation in hub.log:
        assert authorisation == ("" if path.startswith("/large/") else f"Bearer {TOKEN}"), (method, path)
    assert any(path.startswith("/large/") for _, path, _ in hub.log)
    printed = "".join(capfd.readouterr())
    assert printed == ""
    assert TOKEN not in caplog.text
    assert "my-model" not in caplog.text
    gc.collect()
    values = [value for each in gc.get_objects() if type(each) is dict for value in list(each.values())]
    assert f"Bearer {TOKEN}" not in [value for value in values if type(value) is str]
    assert TOKEN not in [each.token for each in gc.get_objects() if type(each) is HfApi]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, HubTokenRefused()),
        (403, HubNotAllowed(name="my-model")),
        (409, HubNameTaken(name="my-model")),
        (500, HubFailed(reason="HTTP 500")),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_a_refusal_is_one_sentence_without_the_token(
    hub: HubHost, folder: Path, status: int, expected: HubError
) -> None:
    hub.status = status
    with pytest.raises(HubError) as raised:
        push_folder(folder, "my-model", TOKEN, endpoint=hub.url)
    assert (type(raised.value), str(raised.value)) == (type(expected), str(expected))
    assert raised.value.__cause__ is raised.value.__context__ is None
    assert TOKEN not in str(raised.value)


def test_another_token_is_refused(hub: HubHost, folder: Path) -> None:
    with pytest.raises(HubTokenRefused):
        push_folder(folder, "my-model", "hf_of_somebody_else", endpoint=hub.url)
    assert not hub.repositories


@pytest.mark.usefixtures("hub")
def test_a_hub_that_is_away_is_named(folder: Path) -> None:
    host = HubHost()
    host.close()
    with pytest.raises(HubFailed) as raised:
        push_folder(folder, "my-model", TOKEN, endpoint=host.url)
    assert "Connect" in str(raised.value)


def test_a_repository_that_exists_is_not_changed(hub: HubHost, folder: Path) -> None:
    push_folder(folder, "my-model", TOKEN, endpoint=hub.url)
    (folder / "README.md").write_bytes(b"# Another card\n")
    with pytest.raises(HubNameTaken):
        push_folder(folder, "my-model", TOKEN, endpoint=hub.url)
    assert hub.repositories["pupil/my-model"] == FILES


@pytest.mark.parametrize(
    "name", ["", "a/b/c", "../x", "a--b", "a..b", "a.git", "a b", "-a", "模型", "a" * 97, "a/", "<b>"]
)
def test_a_name_that_cannot_be_one_never_leaves(hub: HubHost, folder: Path, name: str) -> None:
    with pytest.raises(HubNameWrong):
        push_folder(folder, name, TOKEN, endpoint=hub.url)
    assert not hub.log


@pytest.mark.parametrize("token", ["", " ", "short", "hf_with space", "hf_line\r\nX-Other: 1", "hf_mit_ümlaut"])
def test_what_is_no_token_never_leaves_and_no_other_is_looked_for(
    hub: HubHost, folder: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_this_machine")
    with pytest.raises(HubTokenMissing):
        push_folder(folder, "my-model", token, endpoint=hub.url)
    assert not hub.log


@pytest.mark.network
def test_the_real_hub_refuses_a_token_of_nobodys(folder: Path) -> None:
    with pytest.raises(HubTokenRefused):
        push_folder(folder, "my-model", "hf_" + "x" * 34, endpoint=HUB)
