"""Why folders are left out, why files make no classes, and what is asked about how they were read."""

from collections.abc import Sequence

from demo.data.errors import ArchiveError, DatasetError, EntryError, UploadError
from demo.errors import DemoError
from demo.sentences import Plural


class EntryZipTooDeep(EntryError):
    """A zip lies in a zip that lies in a zip."""

    message = "it is a zip inside a zip inside the zip; only one level of zips is opened. Unpack it first"


class FolderUnlabelled(EntryError):
    """A folder of pictures without classes lies beside those that have them."""

    message = "its pictures are in no class folder"


class FolderUnlike(EntryError):
    """A folder beside the splits has other folders inside than they have."""

    message = "the folders in it are not those of the other splits"


class FolderTwin(EntryError):
    """A folder holds the same pictures as those beside it."""

    message = "it holds the same pictures a second time"


class FolderChosenOut(EntryError):
    """A visitor has left a folder out."""

    message = "you have left it out"


class ClassChosenOut(EntryError):
    """A visitor has left out the pictures that were asked about."""

    message = "you were asked about it and have left it out"


class PicturesWithoutFolders(DatasetError):
    """Pictures lie in no class folder at all."""

    count: int
    message = Plural(
        one="The one picture lies in no class folder. Make a folder for each class, put its pictures into it, "
        "and pack the folders as a zip.",
        other="The {count} pictures lie in no class folder. Make a folder for each class, put its pictures into it, "
        "and pack the folders as a zip.",
    )


class TooManyArchives(ArchiveError):
    """More zips were given at once, or lie in one, than are read."""

    count: int
    limit: int
    message = "These are {count} zips; at most {limit} are read together. Put their folders into one zip."


class QuestionError(UploadError):
    """A doubt about how a visitor's files were read, as a question."""


class AskSplits(QuestionError):
    """Folders are called as splits are, or have the same folders inside."""

    subjects: Sequence[str]
    message = (
        "{subjects}: are these the parts of one data set, to train and to test with? "
        "As classes they would be told from each other."
    )


class AskMasks(QuestionError):
    """A class seems to be the masks of another one."""

    subjects: Sequence[str]
    message = (
        "{subjects}: are these photographs and the masks that belong to them? Then they are no classes: "
        "what a mask looks like would be learned, and nothing else."
    )


class AskNested(QuestionError):
    """The pictures of a class lie in several folders of its own."""

    subjects: Sequence[str]
    message = "{subjects}: the pictures lie in several folders inside. Which folders are the classes?"


class AskEmpty(QuestionError):
    """A class has next to no picture."""

    subjects: Sequence[str]
    message = "{subjects}: next to no pictures, beside the other classes. Is that meant?"


class AskCopies(QuestionError):
    """A class is one picture, copied."""

    subjects: Sequence[str]
    message = (
        "{subjects}: all pictures are copies of one. There is nothing more to learn from them than from one. "
        "Keep the class?"
    )


class AskBlank(QuestionError):
    """A class has pictures of one colour."""

    subjects: Sequence[str]
    message = "{subjects}: there are pictures of one colour alone, on which nothing can be seen. Leave them out?"


class AskNames(QuestionError):
    """The names of files without class folders look like labels."""

    subjects: Sequence[str]
    message = (
        "There are no folders for classes. Do the names of the files say what is on them, as {subjects} do? "
        "If they do not, put the pictures into a folder for each class, and bring the zip again."
    )


class QuestionsOpen(DatasetError):
    """Training was asked for before the visitor has answered what was asked about the files."""

    questions: Sequence[DemoError]
    message = "Before anything is trained, please answer: {questions}"


class EntryWithoutLabel(EntryError):
    """One picture of an archive is in no row of the table that has the labels of the others; `name` is the table's."""

    name: str
    message = '"{name}" has no label for it'


class BoxesNoClasses(DatasetError):
    """A file has boxes of several classes in one picture, or of one class only."""

    name: str
    message = (
        '"{name}" has boxes around things in the pictures, and not one class for each picture. '
        "Put the pictures of each class into a folder of their own."
    )


class SeveralLabels(DatasetError):
    """A table of labels has several for one picture."""

    name: str
    message = (
        '"{name}" gives several labels to one picture; here a picture has one. Keep one label for each picture, '
        "or put the pictures of each class into a folder of their own."
    )


class PixelsExceeded(ArchiveError):
    """Pictures that are read together would take too long to decode, by their sizes alone."""

    limit: float
    message = (
        "These pictures have more pixels together than are decoded at once: {limit:,.0f} million, of which those of a "
        "plain JPEG count a quarter. Save them smaller or as JPEG, or send fewer."
    )
