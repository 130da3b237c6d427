"""What the trials of tab 2 say: swapped grounds, near-copies across the split, heads of more layers."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TrialWords:
    """A trial: its name, what it asks, and the button that starts it."""

    title: str
    help: str
    start: str


@dataclass(frozen=True)
class SwapWords(TrialWords):
    """The same creatures on the other's ground."""

    rows: tuple[str, str, str]
    columns: tuple[str, ...]
    caption: str
    shortcut: str
    no_shortcut: str


@dataclass(frozen=True)
class CopiesWords(TrialWords):
    """Near-copies on both sides of the split, or kept together."""

    by_chance: str
    together: str
    columns: tuple[str, ...]
    leaking: str
    unclear: str
    nothing: str


@dataclass(frozen=True)
class LayersWords(TrialWords):
    """Zero to three hidden layers, with right labels and shuffled ones."""

    columns: tuple[str, ...]
    labels: tuple[str, str]
    verdicts: Mapping[str, str]
    by_heart: str
    not_by_heart: str
