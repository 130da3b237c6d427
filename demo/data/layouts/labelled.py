"""Labels that a table or the files' names give -> the same layout as class folders make."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from demo.data.collection import MAX_CLASS_NAME_LENGTH, Split, number_apart
from demo.data.errors import UploadError
from demo.data.layouts.errors import FolderChosenOut
from demo.data.layouts.layout import Layout, Placed, sort_files
from demo.data.listing import ListedFile, fold, natural_key
from demo.data.reading import Choices, FolderRead, Joined, LeftOut, Role
from demo.data.split_words import find_split


def lay_out_labelled(
    files: Iterable[ListedFile],
    choices: Choices,
    *,
    labels: Mapping[str, str],
    splits: Mapping[str, Role],
    unlabelled: UploadError,
) -> Layout:
    """Put files into classes by their labels; folders only tell the splits.

    Args:
        files: The files that are, or may be, pictures.
        choices: What the visitor has put right.
        labels: Path of a file -> the name of its class.
        splits: Path of a file -> its split, where labels came with one.
        unlabelled: What to say of files without a label.

    Returns:
        The layout.
    """
    files = sort_files(files)
    homes = {file: _find_split_folder(file, choices) for file in files}
    chosen_out = [file for file in files if homes[file][1] is Role.OUT]
    labelled = [file for file in files if file.path in labels and homes[file][1] is not Role.OUT]
    without = [file for file in files if file.path not in labels and homes[file][1] is not Role.OUT]
    roles = {file: splits.get(file.path) or homes[file][1] for file in labelled}
    is_split = len(set(roles.values()) - {None}) > 1
    made = list(_make_classes(labelled, labels, roles if is_split else dict.fromkeys(roles)))
    return Layout(
        classes={name: placed for name, _, placed in made},
        unused=(*chosen_out, *without),
        joined=tuple(Joined(name, spellings) for name, spellings, _ in made if len(spellings) > 1),
        folders=_describe_folders(files, homes),
        left_out=(*_describe(chosen_out, FolderChosenOut()), *_describe(without, unlabelled)),
    )


def _find_split_folder(file: ListedFile, choices: Choices) -> tuple[str, Role | None]:
    """Return the path of the folder that makes a file part of a split, and the split."""
    for depth in range(1, len(file.folders) + 1):
        path = "/".join(file.folders[:depth])
        if role := choices.roles.get(path) or find_split(file.folders[depth - 1]):
            return path, None if role is Role.CLASS else role
    return "", None


def _make_classes(
    files: Iterable[ListedFile], labels: Mapping[str, str], roles: Mapping[ListedFile, Role | None]
) -> Iterator[tuple[str, tuple[str, ...], tuple[Placed, ...]]]:
    """Yield the name, the spellings and the files of each class; letters are told apart by their size: a and A."""
    groups: dict[str, list[ListedFile]] = defaultdict(list)
    for file in files:
        label = labels[file.path]
        groups[label if len(label) == 1 else fold(label)].append(file)
    spellings = [Counter(labels[file.path] for file in group).most_common() for group in groups.values()]
    taken: set[str] = set()
    by_name = sorted(zip(spellings, groups.values(), strict=True), key=lambda each: natural_key(each[0][0][0]))
    for ((label, _), *others), group in by_name:
        name = number_apart(label, taken, max_length=MAX_CLASS_NAME_LENGTH)
        taken.add(name.casefold())
        placed = tuple((file, Split(role.value) if (role := roles[file]) else None) for file in group)
        yield name, (label, *(other for other, _ in others)), placed


def _describe_folders(
    files: Iterable[ListedFile], homes: Mapping[ListedFile, tuple[str, Role | None]]
) -> tuple[FolderRead, ...]:
    counts: dict[tuple[str, Role], int] = defaultdict(int)
    for file in files:
        path, role = homes[file]
        if path:
            counts[path, role or Role.CLASS] += 1
    found = [FolderRead(path, role, count) for (path, role), count in counts.items()]
    return tuple(sorted(found, key=lambda each: natural_key(each.path)))


def _describe(files: Iterable[ListedFile], reason: UploadError) -> Iterable[LeftOut]:
    by_folder: dict[str, list[ListedFile]] = defaultdict(list)
    for file in files:
        by_folder["/".join(file.folders)].append(file)
    for folder, found in by_folder.items():
        yield LeftOut(folder, reason, len(found), found[0].path)
