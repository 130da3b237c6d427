"""What is above the tabs, what all tabs share, and what tab 1 says."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PageWords:
    """What is above the tabs."""

    title: str
    intro: str


@dataclass(frozen=True)
class PrivacyWords:
    """What the page promises about what visitors bring."""

    yours: str
    left: str
    over: str
    anew: str
    forget: str
    forget_sure: str
    promise_title: str
    promise: Mapping[str, str]


@dataclass(frozen=True)
class StripWords:
    """The strip above the tabs: the model state in short."""

    network: str
    whose_classes: str
    imagenet_classes: str
    own_classes: str
    accuracy: str
    accuracy_value: str
    balanced_value: str
    no_head: str
    head_aside: str
    head_rests: str
    back_to_imagenet: str


@dataclass(frozen=True)
class PhotoWords:
    """The photograph that all tabs look at, and the line that says what is seen in it."""

    label: str
    alt: str
    missing: str
    answer: str
    answer_imagenet: str
    answer_own: str


@dataclass(frozen=True)
class NetworkWords:
    """The choice of a network, and the history."""

    label: str
    missing: str
    fetching: str
    arrived: str
    try_again: str
    sources: Mapping[str, str]
    source_absent: str
    history: str
    history_help: str
    facts: Mapping[str, str]
    from_scratch: str
    ideas: Mapping[str, str]


@dataclass(frozen=True)
class SurenessWords:
    """How sure the network in use is of the examples, and whether it is right."""

    title: str
    help: str
    columns: tuple[str, ...]
    right: str
    wrong: str
    no_class: str
    measured: str
    why: str


@dataclass(frozen=True)
class SideBySideWords:
    """Networks side by side, and a batch of pictures."""

    title: str
    networks: str
    compare: str
    compared_facts: str
    all_agree: str
    not_all_agree: str
    batch: str
    batch_picture: str


@dataclass(frozen=True)
class PredictWords:
    """Tab 1."""

    tab: str
    help: str
    examples: str
    example_names: Mapping[str, str]
    probability: str
    answers: str
    answers_imagenet: str
    answers_own: str
    top_classes: str
    network_input: str
    network_input_alt: str
    network: NetworkWords
    sureness: SurenessWords
    side_by_side: SideBySideWords
