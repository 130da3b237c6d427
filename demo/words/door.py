"""What is said at the door: to a visitor who needs a password, and to whoever opens the page for others."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DoorWords:
    """The login, and what is printed where the page is opened."""

    lead: str
    label: str
    enter: str
    open_at: str
    no_address: str
    relay: str
    password: str
    given: str
    scan: str
