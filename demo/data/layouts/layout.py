"""Where files lie -> classes and splits, by structure; the names of folders are hints alone.

Several folders with the same folders inside are splits, whatever they are called; those inside are the classes. All
others are classes themselves. Nothing is read here: a file is its path, its size and its checksum.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from demo.data.collection import MAX_CLASS_NAME_LENGTH, Split, number_apart
from demo.data.errors import UploadError
from demo.data.layouts.errors import FolderChosenOut, FolderTwin, FolderUnlabelled, FolderUnlike
from demo.data.layouts.roles import Decision, decide, find_dataset_folder
from demo.data.layouts.tree import Folder, build_tree, take_twins
from demo.data.listing import ListedFile, fold, natural_key
from demo.data.reading import Answer, Choices, Doubt, FolderRead, Joined, LeftOut, Question, Role
from demo.data.split_words import find_split

Placed = tuple[ListedFile, Split | None]


@dataclass(frozen=True)
class Layout:
    """What files are by where they lie.

    Attributes:
        classes: Name of each class, in natural order -> its files with their splits, in natural order.
        unused: The files of folders that are left out.
        loose: The files in no class folder.
        folders, outer, joined, flattened, left_out, num_twins, questions: As in `Reading`.
    """

    classes: Mapping[str, tuple[Placed, ...]] = field(default_factory=dict)
    unused: tuple[ListedFile, ...] = ()
    loose: tuple[ListedFile, ...] = ()
    folders: tuple[FolderRead, ...] = ()
    outer: tuple[str, ...] = ()
    joined: tuple[Joined, ...] = ()
    flattened: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    num_twins: int = 0
    questions: tuple[Question, ...] = ()

    @property
    def num_used(self) -> int:
        """The number of files that are in classes."""
        return sum(map(len, self.classes.values()))


class _ClassFolder(NamedTuple):
    """A folder of one class's pictures, perhaps one of several: those of the other splits."""

    name: str
    folder: Folder
    split: Role | None


def lay_out(files: Iterable[ListedFile], choices: Choices) -> Layout:
    """Read classes and splits from folders.

    Args:
        files: The files that are, or may be, pictures.
        choices: What the visitor has put right.

    Returns:
        The layout; it does not depend on the order of the files.
    """
    return _Walk(choices).lay_out(build_tree(sort_files(files)))


def sort_files(files: Iterable[ListedFile]) -> list[ListedFile]:
    """Return files in the natural order of their paths."""
    return sorted(files, key=lambda file: (natural_key(file.path), file.source, file.mark))


class _Walk:
    """One walk through a tree: what it has left out and passed on its way."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._outer: list[str] = []
        self._loose: list[ListedFile] = []
        self._out: list[tuple[Folder, UploadError]] = []
        self._num_twins = 0

    def lay_out(self, root: Folder) -> Layout:
        """Read a tree; it is changed."""
        top = self._enter(root)
        decision = decide(top.folders, self._choices)
        found = list(self._find_class_folders(top, decision))
        questions = [decision.question] if decision.question else []
        if nested := {each.folder for each in found if len(each.folder.heart.inner) > 1}:
            subjects = [name for name, group in _name_groups(found) if any(each.folder in nested for each in group)]
            questions.append(Question(Doubt.NESTED, tuple(subjects)))
            if self._choices.answers.get(Doubt.NESTED) is Answer.INNER:
                found = [one for each in found for one in (self._open(each) if each.folder in nested else [each])]
        groups = sorted(_name_groups(found), key=lambda each: natural_key(each[0]))
        return Layout(
            classes={name: _place(group) for name, group in groups},
            unused=tuple(file for folder, _ in self._out for file in folder.all_files),
            loose=tuple(self._loose),
            folders=self._describe_folders(top, decision),
            outer=tuple(self._outer),
            joined=tuple(_find_joined(groups)),
            flattened={name: paths for name, group in groups if (paths := _find_flattened(group))},
            left_out=tuple(_describe_left_out(*each) for each in self._out),
            num_twins=self._num_twins,
            questions=tuple(questions),
        )

    def _enter(self, top: Folder) -> Folder:
        """Go through outer folders to the one in which the splits or the classes lie."""
        roles = self._choices.roles
        kept = {path for path, role in roles.items() if role is not Role.OUT}
        while True:
            for twin in take_twins(top, kept):
                self._out.append((twin, FolderTwin()))
                self._num_twins += len(twin.all_files)
            inside = find_dataset_folder(top.folders, kept)
            if inside is None:
                return top
            self._loose += top.files
            self._out += [(each, self._say_why(each)) for each in top.folders if each is not inside]
            self._outer.append(inside.path)
            top = inside

    def _find_class_folders(self, top: Folder, decision: Decision) -> Iterator[_ClassFolder]:
        self._loose += top.files
        for each in top.folders:
            role = decision.roles[each.name]
            if role is Role.OUT:
                self._out.append((each, self._say_why(each)))
            elif role is not Role.CLASS:
                yield from (_ClassFolder(inner.name, inner, role) for inner in self._look_inside(each))
            elif decision.splits_are_inside and each.labels:
                yield from (_ClassFolder(each.name, one, find_split(one.name)) for one in self._look_inside(each))
            else:
                yield _ClassFolder(each.name, each, None)

    def _look_inside(self, folder: Folder) -> list[Folder]:
        """Return the folders inside; the files beside them are in none."""
        inside = folder.heart.folders
        placed = {file for each in inside for file in each.all_files}
        self._loose += [file for file in folder.all_files if file not in placed]
        return inside

    def _open(self, each: _ClassFolder) -> Iterator[_ClassFolder]:
        for inner in self._look_inside(each.folder):
            yield _ClassFolder(inner.name, inner, each.split)

    def _say_why(self, folder: Folder) -> UploadError:
        if folder.path in self._choices.roles:
            return FolderChosenOut()
        return FolderUnlike() if folder.labels else FolderUnlabelled()

    def _describe_folders(self, top: Folder, decision: Decision) -> tuple[FolderRead, ...]:
        left = [each for each, _ in self._out if each.name not in top.inner or top.inner[each.name] is not each]
        read = [FolderRead(each.path, decision.roles[each.name], len(each.all_files)) for each in top.folders]
        read += [FolderRead(each.path, Role.OUT, len(each.all_files)) for each in left]
        return tuple(sorted(read, key=lambda each: natural_key(each.path)))


def _name_groups(found: Sequence[_ClassFolder]) -> list[tuple[str, list[_ClassFolder]]]:
    """Put the folders of each class together, and name it; long names are cut, and equal ones numbered."""
    apart = _find_spelt_apart(found)
    groups: dict[str, list[_ClassFolder]] = defaultdict(list)
    for each in found:
        groups[each.name if fold(each.name) in apart else fold(each.name)].append(each)
    named = []
    taken: set[str] = set()
    for group in sorted(groups.values(), key=lambda each: natural_key(_choose_spelling(each))):
        name = number_apart(_choose_spelling(group), taken, max_length=MAX_CLASS_NAME_LENGTH)
        taken.add(name.casefold())
        named.append((name, group))
    return named


def _find_spelt_apart(found: Iterable[_ClassFolder]) -> set[str]:
    """Return the names that stand beside each other in several spellings, which are several classes: a and A."""
    spellings: dict[tuple[tuple[str, ...], str, str], set[str]] = defaultdict(set)
    for each in found:
        for source in {file.source for file in each.folder.all_files}:
            spellings[each.folder.parts[:-1], source, fold(each.name)].add(each.name)
    return {folded for (*_, folded), names in spellings.items() if len(names) > 1}


def _choose_spelling(group: Sequence[_ClassFolder]) -> str:
    """Return the spelling that the training pictures have, if it ends as names do."""

    def rank(each: _ClassFolder) -> tuple[bool, bool, int, str]:
        return each.name[-1:] in " .", each.split is not Role.TRAIN, -len(each.folder.all_files), each.name

    return min(group, key=rank).name


def _place(group: Sequence[_ClassFolder]) -> tuple[Placed, ...]:
    by_path = sorted(group, key=lambda each: natural_key(each.folder.path))
    return tuple(
        (file, Split(each.split.value) if each.split else None) for each in by_path for file in each.folder.all_files
    )


def _find_joined(groups: Iterable[tuple[str, Sequence[_ClassFolder]]]) -> Iterator[Joined]:
    for name, group in groups:
        spellings = tuple(dict.fromkeys(each.name for each in group))
        if len(spellings) > 1:
            yield Joined(name, spellings)


def _find_flattened(group: Iterable[_ClassFolder]) -> tuple[str, ...]:
    """Return the folders inside a class whose pictures it has, where there are several or some lie beside them."""
    hearts = [each.folder.heart for each in group]
    return tuple(
        inner.path
        for heart in hearts
        for inner in heart.folders
        if len(heart.inner) > 1 or (heart.inner and heart.files)
    )


def _describe_left_out(folder: Folder, reason: UploadError) -> LeftOut:
    """Say of a folder that it is left out, with one of its files as an example."""
    return LeftOut(folder.path, reason, len(folder.all_files), folder.all_files[0].path)
