"""What is said of what a visitor takes along: the panel, the model card, the script."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.sentences import Plural


@dataclass(frozen=True)
class CardWords:
    """The model card."""

    title: str
    about: str
    linear: str
    hidden: Plural
    trains: Mapping[str, str]
    classes_title: str
    counts_unknown: str
    results_title: str
    results_header: tuple[str, str, str, str, str]
    results_cells: tuple[str, str, str, str]
    results_balanced: str
    learned: str
    no_part: str
    chosen: str
    chosen_early: str
    chosen_last: str
    recipe_title: str
    optimizers: Mapping[str, str]
    closed_form: str
    descent: str
    balanced: str
    head_first: str
    shuffled: str
    seen: str
    seen_plain: str
    seen_mirrored: str
    seen_crops: Plural
    views_separator: str
    as_code: str
    limits_title: str
    limits: tuple[str, ...]
    hashes: str
    run_title: str
    use: Mapping[str, str]
    licence_title: str
    licences: Mapping[str, str]


@dataclass(frozen=True)
class ShareWords:
    """The folder for the Hugging Face Hub, and the way there by the visitor's own token."""

    title: str
    help: str
    make: str
    made: str
    push_title: str
    push_help: str
    name: str
    name_hint: str
    token: str
    token_hint: str
    push: str
    pushed: str


@dataclass(frozen=True)
class SheetWords:
    """The sheet of a report, which is what is printed of it."""

    button: str
    hint: str
    fill: tuple[str, ...]
    made: str
    wrong: str
    no_wrong: str
    conclude: str
    details: str


@dataclass(frozen=True)
class KeepWords:
    """What a visitor takes along."""

    help: str
    run_title: str
    run_help: str
    export: str
    exported: str
    onnx_title: str
    onnx_help: str
    onnx: str
    onnx_file: str
    import_head: str
    imported: str
    make_report: str
    report_file: str
    report_title: str
    script_usage: str
    script_unreadable: str
    script_compared: str
    sheet: SheetWords
    share: ShareWords
    card: CardWords
