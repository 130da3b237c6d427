"""Every limit and choice of a running demo, in one frozen value, read from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

MEGABYTE = 1_000_000
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Settings:
    """Limits and defaults of one running demo.

    The limits are reasoned for two cores, 16 GB and a class of forty.
    """

    backbone: str = "resnet50"
    device: str = "cpu"
    precision: str = "float32"  # of predictions; or bfloat16
    model_memory_bytes: int = 2000 * MEGABYTE  # for the parameters of all loaded networks together

    max_image_bytes: int = 15 * MEGABYTE
    max_image_pixels: int = 50_000_000  # a 48-megapixel phone photograph passes
    max_image_side_px: int = 20_000
    # The shared photograph is kept for each visitor: 1024 x 512 pixels are 1.6 MB at most, most often a third.
    photo_short_side_px: int = 512
    photo_long_side_px: int = 1024

    max_archive_bytes: int = 50 * MEGABYTE
    max_archive_entries: int = 2_000
    max_unpacked_bytes: int = 250 * MEGABYTE  # of one zip, and of all pictures that a visitor keeps
    max_reading_s: float = 120.0  # for the pictures of one zip; five hundred photographs of a phone take 30
    min_classes: int = 2
    max_classes: int = 20
    min_pictures_per_class: int = 2
    max_pictures: int = 500
    max_epochs: int = 200
    max_training_s: float = 900.0  # after which a training ends with what it has
    race_s: float = 60.0  # for each of the four contenders
    max_tuned_parameters: int = 30_000_000  # of one visitor: 120 MB, all of ResNet-50
    max_batch: int = 50

    # What may come in at once, whoever sends it.
    max_upload_bytes: int = 64 * MEGABYTE  # of one request, with all its files
    max_body_bytes: int = 1 * MEGABYTE  # of any other request
    max_body_s: float = 30.0  # for which it may be coming in
    max_uploads: int = 40  # under way at the same time
    upload_idle_s: float = 20.0  # without a single byte
    min_upload_bytes_per_s: int = 8_000  # on average, after the first seconds
    unread_upload_s: float = 1200.0  # after which a file that nobody read is deleted
    # Where more wait to be read, the longest waiting make room.
    max_unread_bytes: int = 5000 * MEGABYTE
    max_unread_uploads: int = 10_000

    max_sessions: int = 200
    max_session_memory_bytes: int = 4000 * MEGABYTE  # of all sessions together, and likewise below
    max_session_disk_bytes: int = 10_000 * MEGABYTE
    session_idle_s: float = 3600.0
    session_closed_s: float = 1200.0  # after the last page of a session was closed

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; choose one of {', '.join(PRECISIONS)}.")

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the variables that README lists; a Space (SPACE_ID is set) counts as public.

        Args:
            environment: Names to texts; the process's own unless given.

        Returns:
            The settings, with PUBLIC_LIMITS where strangers can reach the page.
        """
        settings = Settings(
            backbone=environment.get("DEMO_BACKBONE") or Settings.backbone,
            device=environment.get("DEMO_DEVICE") or Settings.device,
            precision=environment.get("DEMO_PRECISION") or Settings.precision,
            model_memory_bytes=int(float(environment.get("DEMO_MODEL_MEMORY") or 2) * 1000 * MEGABYTE),
        )
        public = environment.get("DEMO_PUBLIC", "0") not in ("", "0") or "SPACE_ID" in environment
        return replace(settings, **PUBLIC_LIMITS) if public else settings


# Where strangers can reach the page: smaller uploads, shorter memories.
PUBLIC_LIMITS: dict[str, Any] = {
    "max_archive_bytes": 30 * MEGABYTE,
    "max_unpacked_bytes": 100 * MEGABYTE,
    "max_reading_s": 60.0,
    "max_epochs": 100,
    "max_training_s": 120.0,
    "race_s": 30.0,
    "max_tuned_parameters": 8_000_000,
    "session_idle_s": 1800.0,
    "session_closed_s": 600.0,
}
