"""Settings: what the environment says, and what becomes tighter in public."""

import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from demo.entrance import Entrance
from demo.errors import SettingWrong
from demo.models.possible import check_possible, choose_device
from demo.settings import AUTO, PUBLIC_LIMITS, Settings
from tests.conftest import PROJECT
from tests.opened import free_port

# A variable, what it says, and a part of what the sentence calls possible.
WRONG = [
    ("DEMO_DEVICE", "gpu", "auto, cpu, cuda or mps"),
    ("DEMO_DEVICE", "cuda", "auto or cpu, for torch finds no GPU here"),
    ("DEMO_BACKBONE", "resnet5", "resnet50"),
    ("DEMO_PRECISION", "int8", "float32 or bfloat16"),
    ("DEMO_FEATURES_PRECISION", "int8", "float32 or bfloat16"),
    ("DEMO_MODEL_MEMORY", "2 GB", "a number of gigabytes above 0"),
    ("DEMO_MODEL_MEMORY", "nan", "a number of gigabytes above 0"),
    ("DEMO_MODEL_MEMORY", "inf", "a number of gigabytes above 0"),
    ("DEMO_MODEL_MEMORY", "0", "a number of gigabytes above 0"),
    ("DEMO_MODEL_MEMORY", "-1", "a number of gigabytes above 0"),
    ("DEMO_PUBLIC", "maybe", "1, true, yes, on or 0, false, no, off"),
    ("DEMO_WEIGHTS_DIR", "/no/such/folder", "a folder that exists"),
    ("DEMO_WEIGHTS_DIR", "~nobody-of-that-name/weights", "a folder that exists"),
    ("HF_ENDPOINT", "hf-mirror.example", "https://"),
    ("DEMO_SHARE", "maybe", "1, true, yes, on or 0, false, no, off"),
    ("DEMO_EMBED_IN", "moodle.school", "https://moodle.school"),
    ("DEMO_PROXY", "caddy", "10.0.0.2"),
    ("DEMO_HOSTS", "https://vision.school", "vision.school or *.school"),
    ("DEMO_ORIGINS", "blog.school", "https://moodle.school"),
    ("DEMO_CONNECTIONS", "many", "a whole number from 20 to 100000"),
    ("DEMO_LOG", "xml", "text or json"),
    ("DEMO_ENGINE", "10.0.0.5:8000", "http://10.0.0.5:8000"),
    ("GRADIO_SERVER_PORT", "http", "a whole number from 1 to 65535"),
    ("GRADIO_SERVER_PORT", "", "a whole number from 1 to 65535"),
    ("GRADIO_SERVER_PORT", "70000", "a whole number from 1 to 65535"),
    ("GRADIO_NUM_PORTS", "many", "a whole number from 1 to 65535"),
    ("GRADIO_DEBUG", "true", "a whole number from 0 to 1"),
    ("GRADIO_SERVER_NAME", "192.0.2.1", "0.0.0.0"),
    ("GRADIO_TEMP_DIR", "app.py", "a folder in which files can be made"),
]


PLAIN = replace(Settings(), device=AUTO)  # what a program leaves to the CPU, a page leaves to what is there


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == PLAIN


def test_the_lessons_network_is_preferred() -> None:
    assert Settings().backbone == "resnet50"


def test_the_memory_for_networks_is_given_in_gigabytes() -> None:
    assert Settings.from_environment({}).model_memory_bytes == 2 * 10**9
    assert Settings.from_environment({"DEMO_MODEL_MEMORY": "0.5"}).model_memory_bytes == 5 * 10**8


def test_features_have_the_precision_of_predictions_unless_they_are_told_one() -> None:
    both = {"DEMO_PRECISION": "bfloat16", "DEMO_FEATURES_PRECISION": "float32"}
    found = [Settings.from_environment(each) for each in ({}, {"DEMO_PRECISION": "bfloat16"}, both)]
    assert [each.features_precision for each in found] == ["float32", "bfloat16", "float32"]


def test_a_processor_that_lacks_bfloat16_computes_no_features_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    half = Settings(features_precision="bfloat16")
    monkeypatch.setattr("demo.models.answering.can_pack", lambda _dtype: True)
    check_possible(half)
    monkeypatch.setattr("demo.models.answering.can_pack", lambda _dtype: False)
    with pytest.raises(SettingWrong, match="DEMO_FEATURES_PRECISION"):
        check_possible(half)


def test_backbone_and_device_come_from_the_environment() -> None:
    settings = Settings.from_environment({"DEMO_BACKBONE": "resnet50", "DEMO_DEVICE": "cuda"})
    assert (settings.backbone, settings.device) == ("resnet50", "cuda")


def test_empty_variables_count_as_unset() -> None:
    assert Settings.from_environment({"DEMO_BACKBONE": "", "DEMO_DEVICE": "", "DEMO_PUBLIC": ""}) == PLAIN


def test_the_process_environment_is_read_at_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_BACKBONE", "read late")
    assert Settings.from_environment().backbone == "read late"


@pytest.mark.parametrize(
    "environment",
    [
        {"DEMO_PUBLIC": "1"},
        {"DEMO_PUBLIC": "true"},
        {"DEMO_PUBLIC": "Yes"},
        {"SPACE_ID": "someone/demo"},
        {"SPACE_ID": "someone/demo", "DEMO_PUBLIC": "0"},
        {"DEMO_SHARE": "1"},
        {"GRADIO_SHARE": "True", "DEMO_PUBLIC": "0"},
        {"DEMO_LAN": "1"},
    ],
)
def test_public_pages_get_the_public_limits_and_nothing_else(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert replace(settings, entrance=Entrance()) == replace(PLAIN, **PUBLIC_LIMITS)


@pytest.mark.parametrize("value", ["0", "false", "No", "OFF"])
def test_a_zero_means_not_public(value: str) -> None:
    assert Settings.from_environment({"DEMO_PUBLIC": value}) == PLAIN


@pytest.mark.parametrize(("variable", "value", "possible"), WRONG)
def test_a_wrong_setting_ends_the_start_with_one_sentence(variable: str, value: str, possible: str) -> None:
    command = [sys.executable, "app.py"]
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(free_port()), "CUDA_VISIBLE_DEVICES": "", variable: value}
    run = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout) == (2, "")
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"{variable} is {value!r}; it must be ")
    assert possible in line


def test_a_wrong_setting_is_told_before_anything_slow_is_imported() -> None:
    program = "import sys; from demo.settings import Settings; Settings.from_environment(); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert not {"torch", "gradio", "numpy", "PIL"} & set(run.stdout.split())


@pytest.mark.parametrize(
    "value", ["engine", "ftp://engine", "http://", "http://e:port", "http://me:pw@e", "http://e/x?y"]
)
def test_an_engines_address_is_one(value: str) -> None:
    with pytest.raises(SettingWrong, match="DEMO_ENGINE"):
        Settings.from_environment({"DEMO_ENGINE": value})


def test_an_engine_has_an_address_and_a_token_that_nobody_is_shown() -> None:
    token = "sixteen or more signs"
    settings = Settings.from_environment({"DEMO_ENGINE": "https://engine.school:8000/", "DEMO_ENGINE_TOKEN": token})
    assert (settings.engine, settings.engine_token) == ("https://engine.school:8000", token)
    assert token not in repr(settings)
    with pytest.raises(SettingWrong) as told:
        Settings.from_environment({"DEMO_ENGINE_TOKEN": "short"})
    assert "short" not in str(told.value)


def test_a_line_break_in_a_setting_breaks_no_line() -> None:
    with pytest.raises(SettingWrong) as raised:
        Settings.from_environment({"DEMO_DEVICE": "cpu\ncuda"})
    assert len(str(raised.value).splitlines()) == 1


def test_what_is_possible_is_let_through(tmp_path: Path) -> None:
    environment = {
        "DEMO_WEIGHTS_DIR": str(tmp_path),
        "HF_ENDPOINT": "https://hf-mirror.example",
        "GRADIO_SERVER_PORT": "7861",
        "GRADIO_SERVER_NAME": "0.0.0.0",
    }
    settings = Settings.from_environment(environment)
    assert settings == replace(PLAIN, entrance=Entrance(is_reachable=True))
    check_possible(settings)


def test_the_choices_of_the_environment_hold_in_public() -> None:
    settings = Settings.from_environment({"DEMO_PUBLIC": "1", "DEMO_BACKBONE": "resnet50", "DEMO_DEVICE": "cuda"})
    assert (settings.backbone, settings.device) == ("resnet50", "cuda")


@pytest.mark.parametrize("limit", sorted(PUBLIC_LIMITS))
def test_public_limits_are_tighter_and_of_the_same_type(limit: str) -> None:
    usual = asdict(Settings())[limit]
    assert 0 < PUBLIC_LIMITS[limit] < usual
    assert type(PUBLIC_LIMITS[limit]) is type(usual)


@pytest.mark.parametrize("environment", [{}, {"DEMO_PUBLIC": "1"}])
def test_no_limit_makes_another_one_useless(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert settings.max_image_bytes <= settings.max_archive_bytes <= settings.max_unpacked_bytes
    assert settings.min_classes <= settings.max_classes
    assert settings.max_classes * settings.min_pictures_per_class <= settings.max_pictures
    assert settings.max_pictures <= settings.max_archive_entries
    assert settings.photo_short_side_px <= settings.photo_long_side_px <= settings.max_image_side_px


@pytest.mark.parametrize(
    ("wanted", "has_gpu", "environment", "chosen"),
    [
        ("auto", True, {}, "cuda"),
        ("auto", False, {}, "cpu"),
        ("auto", True, {"SPACES_ZERO_GPU": "true"}, "cpu"),
        ("cpu", True, {}, "cpu"),
        ("mps", True, {}, "mps"),
    ],
)
def test_the_device_is_the_one_that_is_there_or_is_named(
    wanted: str, has_gpu: bool, environment: dict[str, str], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.models.possible.may_have_gpu", lambda: True)
    monkeypatch.setattr("torch.cuda.is_available", lambda: has_gpu)
    assert choose_device(wanted, environment) == chosen


def test_torch_is_asked_for_a_gpu_only_where_there_is_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("demo.system._GPU_DRIVERS", ("/dev/null/none",))
    monkeypatch.setattr("sys.platform", "linux")
    assert choose_device("auto", {}) == "cpu"
    monkeypatch.setattr("demo.system._GPU_DRIVERS", ("/",))
    assert choose_device("auto", {}) == "cuda"
