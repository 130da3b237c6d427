"""Who is there: the open pages of a session, and when it was last in use."""

import time


class Presence:
    """Which pages of a session are open, and when it was last in use."""

    def __init__(self) -> None:
        self.touched = time.monotonic()
        self.open: set[str] = set()  # pages by gradio's names
        self.closed: set[str] = set()

    @property
    def was_left(self) -> bool:
        """Whether all pages were closed; one may come back."""
        return bool(self.closed) and not self.open

    @property
    def unused_s(self) -> float:
        """Seconds since the last use."""
        return time.monotonic() - self.touched

    def touch(self) -> None:
        """Note that the session is in use."""
        self.touched = time.monotonic()

    def open_page(self, page: str) -> None:
        """Note that a page is open; programs have none."""
        if page:
            self.open.add(page)
        self.touch()

    def close_page(self, page: str) -> None:
        """Note that a page, if it is one of these, was closed or lost its connection."""
        if page in self.open:
            self.open.discard(page)
            self.closed.add(page)
            self.touch()
