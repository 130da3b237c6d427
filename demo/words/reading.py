"""What is said of how a visitor's files were read: the report, what is asked, and what can be put right."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.sentences import Plural


@dataclass(frozen=True)
class RightWords:
    """What can be put right of a reading."""

    title: str
    folders: str
    role: str
    roles: Mapping[str, str]
    more_folders: Plural
    labels: str
    labels_folders: str
    labels_names: str
    labels_table: str
    join: str
    join_help: str
    join_button: str
    sources: str
    remove_source: str
    answered: str
    answer: str
    ask_again: str
    reset: str


@dataclass(frozen=True)
class AskWords:
    """Questions about a reading that is likely nonsense: with their answers, by doubt and answer."""

    title: Plural
    answers: Mapping[str, Mapping[str, str]]
    is_settled: str
    to_answer: str


@dataclass(frozen=True)
class ReadingWords:
    """How a visitor's files were read."""

    title: str
    by_folders: str
    by_inner: str
    by_names: str
    by_table: str
    splits: Mapping[str, str]
    by_lot: str
    drawn: str
    joined_zips: str
    rename_hint: str
    garbled: str
    name_label: str
    how: str
    joined: str
    flattened: str
    left_out: Plural
    outer: str
    twins: Plural
    other_table: str
    more: Plural
    notes: Mapping[str, Plural]
    right: RightWords
    ask: AskWords
