"""What each panel says about itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PanelWords:
    """A title, two or three sentences for a first-year student, and one thing to try."""

    title: str
    help: str
    try_this: str
