"""Every limit and choice of a running demo, in one frozen value, read from the environment."""

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from demo.entrance import Entrance
from demo.environment import is_on, read_address, read_choice, read_gigabytes, read_secret, read_whole
from demo.errors import SettingWrong, StartError

MEGABYTE = 1_000_000
AUTO = "auto"  # the device that is there
DEVICES = (AUTO, "cpu", "cuda", "mps")
PRECISIONS = ("float32", "bfloat16")
_SEAL_KEY, _ENGINE_TOKEN = 24, 16  # characters that they have at least
# Variables that gradio reads itself, and that end it with a traceback if they are no numbers.
_WHOLE_NUMBERS = {"GRADIO_SERVER_PORT": (1, 65_535), "GRADIO_NUM_PORTS": (1, 65_535), "GRADIO_DEBUG": (0, 1)}


@dataclass(frozen=True)
class Settings:
    """Limits and defaults of one running demo.

    The limits are chosen for two cores, 16 GB of memory and a school class of forty.
    """

    backbone: str = "resnet50"
    device: str = "cpu"
    precision: str = "float32"  # precision of predictions; or bfloat16
    features_precision: str = "float32"  # precision of the features that heads learn from; or bfloat16
    model_memory_bytes: int = 2000 * MEGABYTE  # for the parameters of all loaded networks together

    max_image_bytes: int = 15 * MEGABYTE
    max_image_pixels: int = 50_000_000  # enough for a phone's photograph of 48 megapixels
    max_image_side_px: int = 20_000
    # The shared photograph is kept for each visitor: 1024 x 512 pixels are 1.6 MB, one of 4:3 is 1 MB.
    photo_short_side_px: int = 512
    photo_long_side_px: int = 1024

    max_archive_bytes: int = 50 * MEGABYTE
    max_archive_entries: int = 20_000  # of all zips that are read together; max_pictures of them are drawn
    max_archives: int = 40  # zips that are read together, with those inside another
    max_unpacked_bytes: int = 250 * MEGABYTE  # limit for one zip, and for all pictures that a visitor keeps
    # Pixels of all pictures that are read together, told by their headers; those of a plain JPEG count a quarter. Five
    # hundred photographs of a phone, of 12 million each, count 1,524 million.
    max_decoded_pixels: int = 3_000_000_000
    max_reading_s: float = 120.0  # time to read one zip; five hundred photographs of a phone take 30
    min_classes: int = 2
    max_classes: int = 20
    min_pictures_per_class: int = 2
    max_pictures: int = 500
    max_epochs: int = 200
    max_training_s: float = 900.0  # time after which a training ends with the weights it has
    race_s: float = 60.0  # time of each of the four contenders
    left_work_s: float = 45.0  # time after which a training ends whose visitor has closed all pages
    max_tuned_parameters: int = (
        30_000_000  # parameters of one visitor's private layers: 120 MB, enough for all of ResNet-50
    )
    max_batch: int = 50

    # Limits on requests, from visitors and programs alike.
    max_upload_bytes: int = 64 * MEGABYTE  # size of one request, with all its files
    max_body_bytes: int = 1 * MEGABYTE  # size of any other request
    max_body_s: float = 30.0  # time in which it must have come in
    max_uploads: int = 60  # uploads at the same time
    upload_idle_s: float = 20.0  # time without a single byte after which an upload ends
    min_upload_bytes_per_s: int = 8_000  # lowest mean rate, after the first seconds
    unread_upload_s: float = 1200.0  # time after which an unread file is deleted
    # Beyond these limits the oldest unread uploads are deleted.
    max_unread_bytes: int = 5000 * MEGABYTE
    max_unread_uploads: int = 10_000

    # What one address, which a school may share, and all together may hold at once. A page holds two streams, and a
    # browser has at most six connections, for all of its pages.
    max_connections: int = 4_000  # fewer where the system allows few open files
    max_connections_of_address: int = 600
    idle_connection_s: float = 20.0  # time without a request after which a connection is closed
    max_streams: int = 2_000
    max_streams_of_address: int = 500
    max_requests: int = 1_000  # requests that are being answered, other than streams and uploads
    max_requests_of_address: int = 400
    max_uploads_of_address: int = 48
    # Bytes that may be sent at once, and those of one address that are forgotten each second: sixty zips, one each 2 s.
    max_sent_bytes: int = 10_000 * MEGABYTE
    max_sent_bytes_of_address: int = 3_000 * MEGABYTE
    forgotten_bytes_per_s: int = 25 * MEGABYTE

    max_sessions: int = 200
    max_session_memory_bytes: int = 4000 * MEGABYTE  # limit for all sessions together, as is the next one
    max_session_disk_bytes: int = 10_000 * MEGABYTE
    session_idle_s: float = 3600.0
    session_closed_s: float = 1200.0  # time that a session lasts after its last page was closed

    entrance: Entrance = field(default_factory=Entrance)
    seal_key: str = field(
        default="", repr=False
    )  # what heads in visitors' browsers are sealed with; empty for a file's
    engine: str = ""  # address of another machine that computes for this page; empty where there is none
    engine_token: str = field(default="", repr=False)  # what page and engine know each other by

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the variables that README lists; a Space (SPACE_ID is set) counts as public, and so does a locked page.

        Args:
            environment: Variables and their values; the process's own by default.

        Returns:
            The settings, with PUBLIC_LIMITS if the page is public; the device may be AUTO.

        Raises:
            SettingWrong: If a variable has an impossible value. `demo/models/possible.py` checks whether the
                backbone and the device exist, and chooses the device.
        """
        _check_addresses(environment)
        _check_folder(environment)
        entrance = Entrance.from_environment(environment)
        precision = read_choice(environment, "DEMO_PRECISION", PRECISIONS)
        precisions = (precision, *(each for each in PRECISIONS if each != precision))  # the first unless set
        settings = Settings(
            backbone=environment.get("DEMO_BACKBONE") or Settings.backbone,
            device=read_choice(environment, "DEMO_DEVICE", DEVICES),
            precision=precision,
            features_precision=read_choice(environment, "DEMO_FEATURES_PRECISION", precisions),
            model_memory_bytes=read_gigabytes(environment, "DEMO_MODEL_MEMORY", Settings.model_memory_bytes),
            max_connections_of_address=read_whole(
                environment, "DEMO_CONNECTIONS", Settings.max_connections_of_address, low=20, high=100_000
            ),
            entrance=entrance,
            seal_key=read_secret(environment, "DEMO_SEAL_KEY", _SEAL_KEY),
            engine=read_address(environment, "DEMO_ENGINE"),
            engine_token=read_secret(environment, "DEMO_ENGINE_TOKEN", _ENGINE_TOKEN),
        )
        public = is_on(environment, "DEMO_PUBLIC") or "SPACE_ID" in environment
        public = public or entrance.is_shared or entrance.is_lan
        return replace(settings, **PUBLIC_LIMITS) if public else settings


# Limits of a public page: smaller uploads, shorter trainings and sessions.
PUBLIC_LIMITS: dict[str, Any] = {
    "max_archive_bytes": 30 * MEGABYTE,
    "max_unpacked_bytes": 100 * MEGABYTE,
    "max_decoded_pixels": 1_600_000_000,
    "max_reading_s": 60.0,
    "max_epochs": 100,
    "max_training_s": 120.0,
    "race_s": 30.0,
    "max_tuned_parameters": 8_000_000,
    "session_idle_s": 1800.0,
    "session_closed_s": 600.0,
}


@contextmanager
def end_if_wrong() -> Iterator[None]:
    """End the process with exit code 2 and one sentence, instead of a traceback, if a setting is wrong."""
    try:
        yield
    except StartError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def _check_folder(environment: Mapping[str, str]) -> None:
    folder = environment.get("DEMO_WEIGHTS_DIR")
    if not folder:
        return
    with suppress(OSError, RuntimeError):  # RuntimeError: there is no user of the name after ~
        path = Path(folder).expanduser()
        if path.is_dir() and os.access(path, os.R_OK | os.X_OK):
            return
    raise SettingWrong(variable="DEMO_WEIGHTS_DIR", value=folder, possible="a folder that exists and can be read")


def _check_addresses(environment: Mapping[str, str]) -> None:
    """Check the addresses and ports on which gradio will serve the page, and that of the weights' mirror."""
    for variable, (low, high) in _WHOLE_NUMBERS.items():
        value = environment.get(variable, str(low))
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise SettingWrong(variable=variable, value=value, possible=f"a whole number from {low} to {high}")
    endpoint = environment.get("HF_ENDPOINT") or "https://"
    if not endpoint.startswith(("https://", "http://")):
        raise SettingWrong(variable="HF_ENDPOINT", value=endpoint, possible="an address with https:// or http://")
    name = environment.get("GRADIO_SERVER_NAME", "127.0.0.1")
    try:
        with socket.socket() as server:  # an IPv4 socket, as gradio's own
            server.bind((name, 0))
    except (OSError, UnicodeError) as error:
        possible = "an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all that it has"
        raise SettingWrong(variable="GRADIO_SERVER_NAME", value=name, possible=possible) from error
