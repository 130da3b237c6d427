"""What each panel says about itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PanelWords:
    """A name for its tab, a title, two or three sentences for a first-year student, and one thing to try."""

    tab: str
    title: str
    help: str
    try_this: str
