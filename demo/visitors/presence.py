"""Presence of a visitor: the open pages of a session, and when it was last used."""

import time

_QUIET_S = 60.0  # an open page asks twice a second how its work goes; a program that plays one may never be closed


class Presence:
    """The open and closed pages of a session, and when it was last used."""

    def __init__(self) -> None:
        self.began_at = self.touched = time.monotonic()
        self.open: set[str] = set()  # gradio's session hashes of the pages
        self.closed: set[str] = set()
        self.address = ""  # where the last page came from
        self._left = self.touched

    @property
    def was_left(self) -> bool:
        """Whether all pages were closed; a page may open again."""
        return bool(self.closed) and not self.open

    def find_left_s(self) -> float | None:
        """Seconds since all pages were closed, or stopped to ask how their work goes; None while one is there."""
        if self.was_left:
            return time.monotonic() - self._left
        return self.unused_s - _QUIET_S if self.open and self.unused_s > _QUIET_S else None

    @property
    def unused_s(self) -> float:
        """Seconds since the last use."""
        return time.monotonic() - self.touched

    def knows(self, page: str) -> bool:
        """Say whether a page is, or was, one of this session's."""
        return page in self.open or page in self.closed

    def touch(self) -> None:
        """Note that the session is in use."""
        self.touched = time.monotonic()

    def open_page(self, page: str) -> None:
        """Note that a page is open; the name is empty for programs, which have no page."""
        if page:
            self.open.add(page)
        self.touch()

    def close_page(self, page: str) -> None:
        """Note that a page was closed or lost its connection, if it is one of this session's."""
        if page in self.open:
            self.open.discard(page)
            self.closed.add(page)
            self.touch()
            self._left = self.touched
