"""What is above the tabs, what all tabs share, and what tab 1 says."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.sentences import Plural
from demo.words.history import ClosingWords, HistoryWords


@dataclass(frozen=True)
class PageWords:
    """What is above the tabs."""

    title: str
    lead: str
    intro: str
    view: str
    language: str
    projector: str


@dataclass(frozen=True)
class AddressWords:
    """What is said of the page's address, which leads to a place."""

    ignored: str
    network_absent: str
    link: str
    link_help: str


@dataclass(frozen=True)
class LookWords:
    """What helps to see the page and to find one's way on it."""

    skip: str
    chart: str


@dataclass(frozen=True)
class NoticeWords:
    """What is told at the top of the page, whatever is looked at."""

    anew: str
    anew_but: str
    kept: str
    bring: str
    decline: str
    back: str
    back_unsealed: str
    away: str
    put_away: str


@dataclass(frozen=True)
class SendingWords:
    """What is said over a box while the browser makes its files ready and sends them."""

    looking: str
    shrinking: Plural
    sending: str
    reading: str
    cancel: str


@dataclass(frozen=True)
class PrivacyWords:
    """What the page promises about what visitors bring."""

    yours: str
    left: str
    over: str
    forget: str
    forget_sure: str
    promise_title: str
    promise: Mapping[str, str]
    engine: str  # said as well where another machine computes


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
    head_aside: str
    head_rests: str
    computed_by: str
    hardware: Mapping[str, str]
    engine_away: str
    shuffled: str
    back_to_imagenet: str


@dataclass(frozen=True)
class PhotoWords:
    """The photograph that all tabs look at, and the line that says what is seen in it."""

    label: str
    alt: str
    missing: str
    waking: str  # what stands in the place of an answer until the first network is there
    answer: str
    answer_imagenet: str
    answer_own: str
    notes: Mapping[str, str]  # on how it was read, by Note


@dataclass(frozen=True)
class NetworkWords:
    """The choice of a network."""

    label: str
    missing: str
    fetching: str
    arrived: str
    absent: str
    try_again: str
    sources: Mapping[str, str]
    source_absent: str


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
    batch_notes: str
    absent: str


@dataclass(frozen=True)
class PredictWords:
    """Tab 1."""

    tab: str
    help_title: str
    help: str
    example_names: Mapping[str, str]
    no_word: str
    no_word_note: str
    probability: str
    answers: str
    answers_imagenet: str
    answers_own: str
    top_classes: str
    network_input: str
    stages: Mapping[str, str]
    stages_title: str
    next_photo: str
    next_teach: str
    next_inside: str
    network: NetworkWords
    history: HistoryWords
    closing: ClosingWords
    sureness: SurenessWords
    side_by_side: SideBySideWords
