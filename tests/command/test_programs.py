"""The commands that compute: their numbers, as text and JSON, and one sentence where something is wrong."""

import json
from pathlib import Path

import pytest

from demo.command.line import COMMANDS, main
from demo.data.samples import find_example
from demo.models.zoo import EMBEDDED
from demo.programs import calls
from tests.pictures import MakeZip, colour_folders

CAT = str(find_example("cat").path)


@pytest.fixture(autouse=True)
def _embedded_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_BACKBONE", EMBEDDED)
    calls._settings.cache_clear()


def test_each_command_tells_of_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert all(f"{name} {command.HELP}" in told for name, command in COMMANDS.items())


def test_a_picture_is_predicted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", CAT, "--top", "2", "--quiet"]) == 0
    assert main(["predict", CAT, "--top", "2", "--json", "--quiet"]) == 0
    text, _, values = capsys.readouterr().out.partition("\n")
    expected = calls.predict(CAT, top_k=2)
    assert text == repr(expected)
    assert json.loads(values)["predictions"] == expected.to_dict()["predictions"]


def test_a_head_is_trained_evaluated_and_explained(
    make_zip: MakeZip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pets, head, drawn = str(make_zip(colour_folders(12))), str(tmp_path / "pets.head"), tmp_path / "map.png"
    assert main(["fine-tune", pets, "--out", head, "--epochs", "2", "--seed", "4", "--json", "--quiet"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert len(trained["epochs"]) == 2 and set(trained["counts"]) == set(trained["classes"])
    assert main(["evaluate", head, pets, "--json", "--quiet"]) == 0
    evaluated = json.loads(capsys.readouterr().out)
    assert evaluated["count"] == sum(sum(each.values()) for each in trained["counts"].values())
    assert evaluated["correct"] == sum(each["correct"] for each in evaluated["classes"].values())
    name = trained["classes"][1]
    assert main(["explain", CAT, "--head", head, "--class", name, "--out", str(drawn), "--quiet"]) == 0
    assert capsys.readouterr().out.startswith(name) and drawn.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["predict", "nowhere.jpg"], '"nowhere.jpg"'),
        (["predict", CAT, "--network", "resnet49"], '"resnet49"'),
        (["predict", CAT, "--top", "0"], "top_k is 0"),
        (["explain", CAT, "--class", "unicorn"], '"unicorn"'),
        (["explain", CAT, "--out", "/no/such/folder/map.png"], "/no/such/folder/map.png"),
        (["evaluate", CAT, CAT], "no saved head"),
        (["fine-tune", CAT, "--epochs", "1"], "zip"),
        (["fine-tune", CAT, "--epochs", "0"], "epochs is 0"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--quiet"]) == 1
    said = capsys.readouterr()
    assert told in said.err and not said.out and "Traceback" not in said.err
    assert not list(tmp_path.iterdir())


def test_a_wrong_command_has_its_own_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["guess"], ["predict"], ["predict", CAT, "--top", "many"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
    assert "usage:" in capsys.readouterr().err
