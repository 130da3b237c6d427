"""How a head is trained: every choice in one frozen value that checks itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from demo.data.report import IMBALANCED_FROM
from demo.errors import check_range
from demo.models.errors import RidgeIsLinear

MAX_HIDDEN_LAYERS = 3
MAX_WIDTH = 1024
MAX_CROPS = 4


class Trains(StrEnum):
    """Which layers are trained on the visitor's pictures; all others keep ImageNet's weights."""

    HEAD = "head"
    LAST_STAGE = "last_stage"
    EVERYTHING = "everything"


class Optimizer(StrEnum):
    """How the weights are found: step by step, or in closed form by RIDGE."""

    SGD = "sgd"
    ADAMW = "adamw"
    RIDGE = "ridge"


class Balance(StrEnum):
    """Whether classes of different sizes are balanced in the loss; with AUTO where they differ much."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


# Training more layers keeps more activations of each picture in memory.
MAX_BATCH_SIZES = {Trains.HEAD: 128, Trains.LAST_STAGE: 32, Trains.EVERYTHING: 8}


@dataclass(frozen=True)
class HeadConfig:
    """The shape of a head: hidden layers of one width, each followed by ReLU and dropout, and a last linear layer.

    Raises:
        OptionOutOfRange: If one of the numbers is outside its range.
    """

    hidden_layers: int = 0
    width: int = 128
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_range("hidden_layers", self.hidden_layers, 0, MAX_HIDDEN_LAYERS)
        check_range("width", self.width, 8, MAX_WIDTH)
        check_range("dropout", self.dropout, 0, 0.9)


@dataclass(frozen=True)
class Recipe:
    """What is trained, on what, and how.

    The default trains a linear head on each picture and its mirror image, and leaves the network unchanged.
    `lesson_recipe` returns the recipe of the lesson and of PyTorch's tutorial.

    Raises:
        OptionOutOfRange: If one of the numbers is outside its range.
        RidgeIsLinear: If the closed form is asked for more than one linear layer.
    """

    trains: Trains = Trains.HEAD
    optimizer: Optimizer = Optimizer.ADAMW
    head: HeadConfig = field(default_factory=HeadConfig)
    epochs: int = 25
    batch_size: int = 24
    learning_rate: float = 0.001
    momentum: float = 0.9  # used by SGD alone
    weight_decay: float = 0.01
    flips: bool = True  # each training picture also mirrored
    crops: int = 0  # random crops of each training picture
    patience: int = 0  # epochs without a lower validation loss after which training ends with the best one; 0: never
    seed: int = 0
    max_epochs: int = 200
    balance: Balance = Balance.AUTO
    warm_start: bool = False  # deeper layers are trained only after the head alone was
    shuffled: bool = False  # training pictures have each other's labels: what then is right by chance, or by heart

    def __post_init__(self) -> None:
        check_range("epochs", self.epochs, 1, self.max_epochs)
        check_range("batch_size", self.batch_size, 1, MAX_BATCH_SIZES[self.trains])
        check_range("learning_rate", self.learning_rate, 1e-6, 1)
        check_range("momentum", self.momentum, 0, 0.99)
        check_range("weight_decay", self.weight_decay, 0, 1)
        check_range("crops", self.crops, 0, MAX_CROPS)
        check_range("patience", self.patience, 0, self.max_epochs)
        check_range("seed", self.seed, 0, 2**31 - 1)
        if self.optimizer is Optimizer.RIDGE and (self.trains is not Trains.HEAD or self.head.hidden_layers):
            raise RidgeIsLinear()

    @property
    def is_closed_form(self) -> bool:
        """Whether the head is computed at once, without epochs."""
        return self.optimizer is Optimizer.RIDGE

    def settle(self, counts: Sequence[int]) -> "Recipe":
        """Return this recipe with what its balance comes to, ON or OFF, for the training pictures of each class.

        The closed form always balances them.
        """
        if self.balance is not Balance.AUTO and not self.is_closed_form:
            return self
        is_on = self.is_closed_form or max(counts) >= IMBALANCED_FROM * min(counts)
        return replace(self, balance=Balance.ON if is_on else Balance.OFF)

    @property
    def keeps_norms(self) -> bool:
        """Whether the batch norms of trained layers keep ImageNet's statistics, which small batches estimate badly.

        A head that was trained alone knows the features that these statistics give.
        """
        return self.trains is Trains.LAST_STAGE or self.warm_start

    @property
    def warm_up(self) -> "Recipe":
        """How the head is trained alone before deeper layers: as it is by default."""
        default = Recipe()
        return replace(
            self,
            trains=default.trains,
            optimizer=default.optimizer,
            epochs=default.epochs,
            max_epochs=default.max_epochs,
            batch_size=default.batch_size,
            learning_rate=default.learning_rate,
            weight_decay=default.weight_decay,
            patience=default.patience,
        )


def lesson_recipe(trains: Trains = Trains.HEAD, *, epochs: int = 25, seed: int = 0) -> Recipe:
    """Return the recipe of the lesson: SGD with learning rate 0.001 and momentum 0.9, four pictures in a batch.

    Source:
        https://pytorch.org/tutorials/beginner/transfer_learning_tutorial.html
    """
    return Recipe(trains, Optimizer.SGD, epochs=epochs, batch_size=4, weight_decay=0.0, flips=False, seed=seed)


# What to begin with for each depth of training.
SUGGESTED_RECIPES = {
    Trains.HEAD: Recipe(),
    Trains.LAST_STAGE: Recipe(Trains.LAST_STAGE, Optimizer.SGD, epochs=8, batch_size=8, weight_decay=0.0, flips=False),
    # Larger steps lose what the lower layers know, and the accuracy of the head alone with it.
    Trains.EVERYTHING: replace(lesson_recipe(Trains.EVERYTHING, epochs=5), learning_rate=0.0003, warm_start=True),
}
