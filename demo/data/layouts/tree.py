"""Listed files -> a tree of their folders, without outer folders and without trees that are there twice."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from demo.data.listing import ListedFile, fold, strip_zip_name
from demo.data.split_words import find_split


@dataclass(eq=False)
class Folder:
    """A folder: the files that lie in it, and the folders inside by their names."""

    parts: tuple[str, ...] = ()
    files: list[ListedFile] = field(default_factory=list)
    inner: dict[str, "Folder"] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its own name."""
        return self.parts[-1] if self.parts else ""

    @property
    def path(self) -> str:
        """Its place, from the top of the zip."""
        return "/".join(self.parts)

    @cached_property
    def all_files(self) -> tuple[ListedFile, ...]:
        """The files in it and below."""
        below = [file for each in self.folders for file in each.all_files]
        return (*self.files, *below)

    @property
    def folders(self) -> list["Folder"]:
        """The folders inside, in the order in which they were found."""
        return list(self.inner.values())

    @cached_property
    def heart(self) -> "Folder":
        """The folder in which its own begin: doubled ones (training/training) and outer ones are looked through."""
        if len(self.inner) != 1:
            return self
        (only,) = self.inner.values()
        is_doubled = fold(only.name) == fold(self.name)
        return only.heart if is_doubled or (only.inner and not self.files) else self

    @cached_property
    def labels(self) -> frozenset[str]:
        """The names of the folders in its heart, as far as they tell folders apart."""
        return frozenset(map(fold, self.heart.inner))

    @cached_property
    def marks(self) -> frozenset[tuple[int, int]]:
        """What tells its files from copies."""
        return frozenset(file.mark for file in self.all_files)


def build_tree(files: Iterable[ListedFile]) -> Folder:
    """Put files into their folders, in the order of the files; those of several zips lie together, as parts of one."""
    files = list(files)
    tops = _name_sources(files)
    root = Folder()
    for file in files:
        folder = root
        for name in (*tops[file.source], *file.folders):
            if name not in folder.inner:
                folder.inner[name] = Folder((*folder.parts, name))
            folder = folder.inner[name]
        folder.files.append(file)
    return root


def _name_sources(files: Sequence[ListedFile]) -> dict[str, tuple[str, ...]]:
    """Return for each zip the folder that it is itself, or none.

    A zip of loose pictures beside others is a class, as in cat.zip and dog.zip; train.zip and test.zip are splits.
    """
    with_folders = dict.fromkeys((file.source for file in files), False)
    for file in files:
        with_folders[file.source] |= bool(file.folders)
    stems: dict[str, tuple[str, ...]] = {source: (strip_zip_name(source),) for source in with_folders}
    if len(stems) < 2:
        return dict.fromkeys(stems, ())
    splits = {find_split(*stem) for stem in stems.values()}
    if None not in splits and len(splits) > 1:
        return stems
    return {source: () if with_folders[source] else stem for source, stem in stems.items()}


def take_twins(parent: Folder, kept: Iterable[str] = ()) -> list[Folder]:
    """Take out of a folder each tree that is there a second time, and return these.

    A twin has folders inside that are called as those beside it (chest_xray/chest_xray, rps-cv-images), or as those of
    one beside it, and no picture that is not there as well.

    Args:
        parent: Changed in place.
        kept: Paths of folders that are no twins.
    """
    copies: dict[tuple[frozenset[str], frozenset[tuple[int, int]]], list[Folder]] = defaultdict(list)
    names, marks = Counter(map(fold, parent.inner)), Counter(file.mark for file in parent.files)
    for each in parent.folders:
        copies[each.labels, each.marks].append(each)
        marks.update(each.marks)
    twins = []
    for each in reversed(parent.folders):
        is_whole = each.labels and all(marks[mark] > 1 for mark in each.marks)  # in the number of folders that have it
        lies_within = all(names[label] > (label == fold(each.name)) for label in each.labels)
        same = copies[each.labels, each.marks]
        same.pop()  # which is this one: the others of the same kind come before it
        if is_whole and each.path not in kept and (lies_within or any(_can_be_copy(each, one) for one in same[:2])):
            twins.append(each)
            del parent.inner[each.name]
            marks.subtract(each.marks)
    return twins


def _can_be_copy(folder: Folder, other: Folder) -> bool:
    """Say whether two equal trees are one: two splits are two, whatever lies in them."""
    splits = {find_split(folder.name), find_split(other.name)}
    return len(splits) == 1 or None in splits
