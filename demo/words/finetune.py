"""What tab 2 says."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.sentences import Plural
from demo.words.customers import CustomersWords
from demo.words.keep import KeepWords
from demo.words.reading import ReadingWords
from demo.words.trials import CopiesWords, LayersWords, SwapWords


@dataclass(frozen=True)
class GatherWords:
    """Pictures to learn from, and their report."""

    archive: str
    dataset_report: str
    dataset_class: str
    dataset_total: str
    skipped: str
    skipped_more: str
    no_dataset: str
    zip_tab: str
    zip_help: str
    classes_tab: str
    starters_tab: str
    classes_help: str
    new_class: str
    new_class_hint: str
    add_class: str
    chosen_class: str
    class_pictures: str
    class_camera: str
    recorded: Plural
    recording: str
    rename_class: str
    remove_class: str
    faces_title: str
    faces_help: str
    faces_consent: str
    faces: str
    faces_classes: tuple[str, str]
    starters_help: str
    switch_classes: str
    class_off: str
    drop_pictures: str
    thumbnail_alt: str
    warn_small: str
    warn_imbalance: str
    warn_duplicates: str
    warn_across_splits: Plural
    warn_across_classes: Plural
    warn_split_by_picture: str
    starters: Mapping[str, str]
    starter_stories: Mapping[str, str]
    starter_classes: Mapping[str, str]


@dataclass(frozen=True)
class RecipeWords:
    """The recipe of a training."""

    title: str
    epochs: str
    epochs_help: str
    trains_label: str
    trains_help: str
    trains: Mapping[str, str]
    head_builder: str
    head_builder_help: str
    hidden_layers: str
    width: str
    dropout: str
    lesson_recipe: str
    suggested_recipe: str
    optimizer: str
    optimizer_help: str
    optimizers: Mapping[str, str]
    batch_size: str
    learning_rate: str
    weight_decay: str
    flips: str
    crops: str
    patience: str
    patience_help: str
    balance: str
    balance_help: str
    balances: Mapping[str, str]
    warm_start: str
    warm_start_help: str
    shuffled: str
    shuffled_help: str
    seed: str
    views_title: str
    view_plain: str
    view_flip: str
    view_crop: str
    trained_count: str
    code_title: str
    code_help: str


@dataclass(frozen=True)
class TrainingWords:
    """A training under way, and its end."""

    next_train: str
    train: str
    stop: str
    waiting: str
    starting: str
    reading: str
    epoch_status: str
    batch_status: str
    time_left: str
    trained: str
    trained_test: str
    trained_early: str
    trained_cut: str
    trained_each: str
    trained_balanced: str
    trained_unbalanced: str
    trained_next: str
    trained_shuffled: str
    curves: Mapping[str, str]
    loss: str
    accuracy_axis: str
    epoch_axis: str
    curve_summary: str


@dataclass(frozen=True)
class ResultsWords:
    """What the head gets right and wrong."""

    split: str
    headline: str
    balanced_accuracy: str
    test_note: str
    validation_note: str
    alone: str
    parted: str
    verdicts: Mapping[str, str]
    confusion_help: str
    confusion_corner: str
    cell_label: Plural
    cell_title: str
    detail_hint: str
    detail_title: str
    untinted: str
    speaks_for: str
    speaks_help: str
    alike_title: str
    classes_title: str
    class_columns: tuple[str, ...]
    reliability_title: str
    reliability_help: str
    reliability: str
    temperature_fit: str
    temperature: str
    temperature_one: str
    temperature_source: str
    temperature_judged: str
    temperature_unjudged: str
    temperature_nothing: str
    reliability_alt: str
    reliability_columns: tuple[str, ...]
    novelty_title: str
    novelty_help: str
    novelty_share: str
    novelty_hint: str
    novelty: str
    novelty_tuned: str
    novelty_photo_known: str
    novelty_photo_strange: str
    novelty_columns: tuple[str, ...]
    novelty_accepted: str
    novelty_test: str
    novelty_examples: str
    novelty_class: str
    novelty_each: str
    novelty_hardest: Plural
    novelty_no_class: str
    projection_title: str
    projection_help: str


@dataclass(frozen=True)
class ExperimentsWords:
    """The race, and how few pictures are enough."""

    race: str
    race_help: str
    start_race: str
    seconds_axis: str
    contenders: Mapping[str, str]
    race_columns: tuple[str, ...]
    balanced_column: str
    few: str
    few_help: str
    start_few: str
    pictures_axis: str
    all_pictures: str
    curve_columns: tuple[str, ...]
    curve_bands: tuple[str, str, str]
    running: str
    done: str


@dataclass(frozen=True)
class StepsWords:
    """The five steps: their names, what was done, what is missing, the way on, what runs."""

    names: Mapping[str, str]
    pictures: str
    trained: str
    wrong: str
    tried: str
    kept: str
    at_work: str
    no_pictures: str
    no_head: str
    brought: str
    busy: str
    experimenting: str
    to_train: str
    to_wrong: str
    to_experiments: str
    to_keep: str
    to_predict: str
    running: str
    jobs: Mapping[str, str]


@dataclass(frozen=True)
class FinetuneWords:
    """Tab 2."""

    tab: str
    help: str
    explain: str
    steps: StepsWords
    splits: Mapping[str, str]
    split_names: Mapping[str, str]
    gather: GatherWords
    reading: ReadingWords
    recipe: RecipeWords
    training: TrainingWords
    results: ResultsWords
    experiments: ExperimentsWords
    swap: SwapWords
    copies: CopiesWords
    layers: LayersWords
    keep: KeepWords
    customers: CustomersWords
