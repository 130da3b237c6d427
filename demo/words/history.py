"""What tab 1 tells of the history, and its closing question."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class HistoryWords:
    """From the first model of a neuron to the networks of this page."""

    title: str
    help: str
    milestones: Mapping[str, str]
    tries: Mapping[str, str]
    networks: str
    networks_help: str
    facts: Mapping[str, str]
    from_scratch: str
    ideas: Mapping[str, str]


@dataclass(frozen=True)
class ClosingWords:
    """The closing question: pretrained networks and large models."""

    title: str
    answer: str
    columns: tuple[str, ...]
    data: Mapping[str, str]
    parameters: Mapping[str, str]
    adapted: Mapping[str, str]
    headings: Mapping[str, str]
    thoughts: Mapping[str, str]
    tries: Mapping[str, str]
