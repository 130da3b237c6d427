"""The words of the panel that says how programs use the page."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ApiWords:
    """The public API: what its functions do, what they take and give; `tools` is for agents alone."""

    title: str
    intro: str
    takes: str
    gives: str
    copy: str
    copied: str
    default: str
    agents: str
    kinds: Mapping[str, str]
    does: Mapping[str, str]
    parameters: Mapping[str, str]
    recipe: Mapping[str, str]
    answers: Mapping[str, str]
    tools: Mapping[str, str]
    openapi: Mapping[str, str]
