"""Settings: what the environment says, and what becomes tighter in public."""

from dataclasses import asdict

import pytest

from demo.settings import PUBLIC_LIMITS, Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings()


def test_the_lessons_network_is_preferred() -> None:
    assert Settings().backbone == "resnet50"


def test_the_memory_for_networks_is_given_in_gigabytes() -> None:
    assert Settings.from_environment({}).model_memory_bytes == 2 * 10**9
    assert Settings.from_environment({"DEMO_MODEL_MEMORY": "0.5"}).model_memory_bytes == 5 * 10**8


def test_backbone_and_device_come_from_the_environment() -> None:
    settings = Settings.from_environment({"DEMO_BACKBONE": "resnet50", "DEMO_DEVICE": "cuda"})
    assert (settings.backbone, settings.device) == ("resnet50", "cuda")


def test_empty_variables_count_as_unset() -> None:
    assert Settings.from_environment({"DEMO_BACKBONE": "", "DEMO_DEVICE": "", "DEMO_PUBLIC": ""}) == Settings()


def test_the_process_environment_is_read_at_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_BACKBONE", "read late")
    assert Settings.from_environment().backbone == "read late"


@pytest.mark.parametrize(
    "environment",
    [
        {"DEMO_PUBLIC": "1"},
        {"DEMO_PUBLIC": "true"},
        {"SPACE_ID": "someone/demo"},
        {"SPACE_ID": "someone/demo", "DEMO_PUBLIC": "0"},
    ],
)
def test_public_pages_get_the_public_limits_and_nothing_else(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert asdict(settings) == asdict(Settings()) | PUBLIC_LIMITS


def test_a_zero_means_not_public() -> None:
    assert Settings.from_environment({"DEMO_PUBLIC": "0"}) == Settings()


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
