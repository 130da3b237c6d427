"""The first network, until it answers, and the download of the preferred one, while the embedded one answers."""

import logging
import threading

from demo.errors import DemoError, log_unexpected
from demo.models.fetch import FetchProgress, fetch_weights
from demo.models.zoo import find_spec

logger = logging.getLogger("demo")


class Arrival:
    """One download in the background: its progress and its end, which any thread may read."""

    def __init__(self, backbone_name: str) -> None:
        """Prepare to fetch a backbone's weights; nothing happens yet."""
        self.backbone_name = find_spec(backbone_name).name
        self.progress: FetchProgress | None = None
        self.error: Exception | None = None
        self.over = threading.Event()
        self.is_waking = False  # while the page is open, and the first network on its way; who asks is told, or waits
        self.is_warm = threading.Event()  # set once it has answered

    def run(self) -> None:
        """Fetch the weights in the caller's thread; an error is kept in `error`."""
        try:
            for progress in fetch_weights(find_spec(self.backbone_name)):
                self.progress = progress
        except DemoError as error:
            logger.warning("%s", error)
            self.error = error
        except Exception as error:
            log_unexpected(error, "a download")
            self.error = error
        finally:
            self.over.set()
