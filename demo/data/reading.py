"""How a visitor's files were read, as values: what became a class or a split, what was left out, what is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from demo.data.errors import UploadError

FOLDERS = "folders"  # the labels are the names of folders
NAMES = "names"  # the labels stand in the files' names, as in cat.0.jpg


class Role(StrEnum):
    """What a folder stands for: a split, with the classes inside; a class; or nothing that is learned from."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    CLASS = "class"
    OUT = "out"


class Doubt(StrEnum):
    """A reading that is likely nonsense, about which the visitor is asked before anything is trained."""

    SPLITS = "splits"  # folders that are called as splits are and have no classes inside, or that may be any two splits
    MASKS = "masks"  # classes that are pictures and their masks
    NESTED = "nested"  # classes whose pictures lie in several folders of their own, which were flattened
    EMPTY = "empty"  # a class with next to no picture beside the others
    COPIES = "copies"  # a class of one picture, copied
    BLANK = "blank"  # a class with pictures of one colour
    NAMES = "names"  # files without class folders, whose names look like labels


class Answer(StrEnum):
    """What a visitor can say to a doubt."""

    KEEP = "keep"  # it is meant as it was read; or, of what may be splits: they are classes
    SPLITS = "splits"  # the folders are splits
    INNER = "inner"  # the folders inside are the classes
    LEAVE_OUT = "leave_out"  # without the class, the mask, or the pictures that are asked about
    NAMES = "names"  # the labels in the files' names are the classes


ANSWERS: Mapping[Doubt, tuple[Answer, ...]] = MappingProxyType(
    {
        Doubt.SPLITS: (Answer.SPLITS, Answer.KEEP),
        Doubt.MASKS: (Answer.LEAVE_OUT, Answer.KEEP),
        Doubt.NESTED: (Answer.KEEP, Answer.INNER),
        Doubt.EMPTY: (Answer.KEEP, Answer.LEAVE_OUT),
        Doubt.COPIES: (Answer.KEEP, Answer.LEAVE_OUT),
        Doubt.BLANK: (Answer.LEAVE_OUT, Answer.KEEP),
        Doubt.NAMES: (Answer.NAMES,),
    }
)


@dataclass(frozen=True)
class Question:
    """One doubt about a reading; `subjects` are the names of the classes, folders or files that it is about."""

    doubt: Doubt
    subjects: tuple[str, ...]

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What can be said to it, the likeliest first."""
        return ANSWERS[self.doubt]


@dataclass(frozen=True)
class Choices:
    """What a visitor has put right.

    Attributes:
        roles: The role of a folder, by its path as `Reading.folders` gives it.
        labels: FOLDERS, NAMES, or the path of a table and the name of its column as `LabelTable.key` gives them; empty
            to let the files decide.
        answers: The answers to questions.
    """

    roles: Mapping[str, Role] = field(default_factory=dict)
    labels: str = ""
    answers: Mapping[Doubt, Answer] = field(default_factory=dict)

    def assign(self, folder: str, role: Role) -> "Choices":
        """Return the choices with the role of one folder."""
        return replace(self, roles={**self.roles, folder: role})

    def answer(self, doubt: Doubt, answer: Answer) -> "Choices":
        """Return the choices with the answer to one question."""
        return replace(self, answers={**self.answers, doubt: answer})


@dataclass(frozen=True)
class FolderRead:
    """A folder at the level of splits and classes: what it was taken for, and the pictures in and below it."""

    path: str
    role: Role
    num_pictures: int


@dataclass(frozen=True)
class LeftOut:
    """A folder whose pictures are not used, the reason, their number and the path of one of them."""

    folder: str
    reason: UploadError
    num_pictures: int
    example: str


@dataclass(frozen=True)
class Joined:
    """Folders whose names differ in capitals, blanks, dots or Unicode form alone, and the class that they make."""

    class_name: str
    spellings: tuple[str, ...]


@dataclass(frozen=True)
class LabelTable:
    """A table of labels among the files, such as labels.csv: its path, and the column that has the labels.

    `columns` are all that could be labels; `num_pictures` is the number of pictures that it names.
    """

    path: str
    column: str
    columns: tuple[str, ...]
    num_pictures: int

    def key(self, column: str = "") -> str:
        """Return what `Choices.labels` says of this table and one of its columns."""
        return f"{self.path}#{column or self.column}"


@dataclass(frozen=True)
class Reading:
    """How the files of one or several zips were understood.

    Attributes:
        sources: Names of the zips, in the order in which they came.
        folders: The folders that are splits, classes or left out, in natural order; a visitor can give each another
            role.
        outer: Folders around all of them, which have no meaning.
        labels: Where the class names come from: FOLDERS, NAMES, or `LabelTable.key`.
        tables: Tables of labels that were found, whether used or not.
        joined: Classes that several spellings of a folder make.
        flattened: Class name -> paths of the folders inside whose pictures it has, where there are several.
        left_out: Folders whose pictures are not used.
        num_twins: Pictures that a second tree has again, and that are counted once.
        drawn_of: The number of pictures from which the collection was drawn, if there were too many to use; else 0.
        questions: Doubts, with those that are answered.
        obstacle: Why the files make no classes, where that is known.
        choices: What the visitor has put right.
    """

    sources: tuple[str, ...] = ()
    folders: tuple[FolderRead, ...] = ()
    outer: tuple[str, ...] = ()
    labels: str = FOLDERS
    tables: tuple[LabelTable, ...] = ()
    joined: tuple[Joined, ...] = ()
    flattened: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    num_twins: int = 0
    drawn_of: int = 0
    questions: tuple[Question, ...] = ()
    obstacle: UploadError | None = None
    choices: Choices = field(default_factory=Choices)

    @property
    def open_questions(self) -> tuple[Question, ...]:
        """The doubts that no answer has settled: nothing is trained before they are."""
        return tuple(each for each in self.questions if each.doubt not in self.choices.answers)
