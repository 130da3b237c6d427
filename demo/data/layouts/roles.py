"""Folders side by side -> which are splits, which are classes, and which are left out."""

from collections.abc import Container, Iterable, Sequence
from typing import Any, NamedTuple

from demo.data.layouts.tree import Folder
from demo.data.listing import natural_key
from demo.data.reading import Answer, Choices, Doubt, Question, Role
from demo.data.split_words import find_split, is_unlabelled

_ALIKE = 0.75  # share of the smaller one's own folders that two splits have in common at least
_MAX_TRIES = 20  # folders that the others are compared with, the largest first


class Decision(NamedTuple):
    """The role of each folder, by its name; whether the splits are the folders inside the classes; what to ask."""

    roles: dict[str, Role]
    splits_are_inside: bool = False
    question: Question | None = None


def decide(folders: Sequence[Folder], choices: Choices) -> Decision:
    """Decide what folders side by side are; what the visitor says of one of them counts.

    Args:
        folders: All folders of one level.
        choices: What the visitor has put right.
    """
    decision = _decide_by_structure(folders, choices)
    told = {each.name: choices.roles[each.path] for each in folders if each.path in choices.roles}
    question = decision.question
    is_settled = question and any(each.path in question.subjects for each in folders if each.name in told)
    return Decision({**decision.roles, **told}, decision.splits_are_inside, None if is_settled else question)


def find_dataset_folder(folders: Sequence[Folder], kept: Container[str]) -> Folder | None:
    """Return the folder that has all splits or classes inside, if there is one; what lies beside it is not used.

    Args:
        folders: All folders of one level.
        kept: Paths of folders that a visitor wants to use.
    """
    if any(each.path in kept for each in folders):
        return None
    sets = [each for each in folders if _are_splits(each.inner) and any(one.labels for one in each.folders)]
    with_folders = [each for each in folders if each.inner]
    (only,) = sets if len(sets) == 1 else with_folders if len(with_folders) == 1 else [None]
    if only is None or len(folders) == 1:
        return only
    beside = [each.name for each in folders if each is not only]
    if any(map(find_split, beside)):  # which makes this one a sample of the splits, or a split
        return None
    is_beside_unlabelled = find_split(only.name) is None and all(map(is_unlabelled, beside))
    return only if only in sets or is_beside_unlabelled or _are_splits(only.inner) else None


def _decide_by_structure(folders: Sequence[Folder], choices: Choices) -> Decision:
    answer = choices.answers.get(Doubt.SPLITS)
    classes = Decision({each.name: Role.CLASS for each in folders})
    with_folders = [each for each in folders if each.labels]
    inside = {name for each in with_folders for name in each.heart.inner}
    if len(with_folders) > 1 and _are_splits(inside):
        return classes._replace(splits_are_inside=True)
    if members := _find_alike(with_folders) or _find_called_splits(folders, with_folders):
        is_known = any(find_split(each.name) for each in members)
        question = None if is_known else Question(Doubt.SPLITS, tuple(each.path for each in members))
        if question and answer is Answer.KEEP:
            return classes._replace(question=question)
        known = frozenset[str]().union(*(each.labels for each in members))
        others = {each.name: role for each in with_folders if (role := find_split(each.name)) and each.labels & known}
        out = {each.name: Role.OUT for each in folders}
        return Decision({**out, **others, **_share_roles(members)}, question=question)
    if called := [] if with_folders else _find_called_alike(folders):
        question = Question(Doubt.SPLITS, tuple(each.path for each in called))
        if answer is Answer.SPLITS:
            out = {each.name: Role.OUT for each in folders}
            return Decision({**out, **_share_roles(called)}, question=question)
        return classes._replace(question=question)
    return classes


def _are_splits(names: Iterable[str]) -> bool:
    """Say whether all names tell of splits, one of them of training."""
    roles = {find_split(name) for name in names}
    return None not in roles and Role.TRAIN in roles and len(roles) > 1


def _find_alike(folders: Sequence[Folder]) -> list[Folder]:
    """Return the folders that have the same folders inside, if there are several, and several inside."""

    def rank(each: Folder) -> tuple[bool, int, str]:
        return find_split(each.name) is not Role.TRAIN, -len(each.all_files), each.path

    for first in sorted((each for each in folders if len(each.labels) > 1), key=rank)[:_MAX_TRIES]:
        alike = [each for each in folders if _is_alike(first.labels, each.labels)]
        if len(alike) > 1:
            return alike
    return []


def _is_alike(first: frozenset[str], second: frozenset[str]) -> bool:
    return len(first & second) >= _ALIKE * min(len(first), len(second))


def _find_called_splits(folders: Sequence[Folder], with_folders: Sequence[Folder]) -> list[Folder]:
    """Return the folders that are splits by their names, where the folders inside do not prove it.

    There is a training folder beside another one with other classes, or beside pictures that are in none.
    """
    called = [each for each in with_folders if find_split(each.name)]
    if _are_splits(each.name for each in called):
        return called
    beside = [each.name for each in folders if not each.labels]
    are_all = len(called) == len(with_folders) and all(find_split(name) or is_unlabelled(name) for name in beside)
    return called if are_all and beside else []


def _find_called_alike(folders: Sequence[Folder]) -> list[Folder]:
    """Return the folders of loose pictures that are called as splits are, if that is no chance."""
    called = [each for each in folders if find_split(each.name)]
    others = [each for each in folders if is_unlabelled(each.name) and each not in called]
    if _are_splits(each.name for each in called):
        return called
    return [*called, *others] if called and others and len(called) + len(others) == len(folders) else []


def _share_roles(members: Sequence[Folder]) -> dict[str, Role]:
    """Say which of the splits is which: by their names, and else by size; the largest is to learn from."""
    roles = {each.name: role for each in members if (role := find_split(each.name))}
    unknown = sorted((each for each in members if each.name not in roles), key=_size_and_name)
    if unknown and Role.TRAIN not in roles.values():
        roles[unknown.pop().name] = Role.TRAIN
    missing = [role for role in (Role.VALIDATION, Role.TEST) if role not in roles.values()]
    if len(unknown) == 1 and Role.TEST in missing:
        missing = [Role.TEST]  # pictures for validation can be drawn from those for training
    for number, each in enumerate(unknown):
        roles[each.name] = missing[min(number, len(missing) - 1)] if missing else Role.TEST
    return roles


def _size_and_name(folder: Folder) -> tuple[int, Any]:
    return len(folder.all_files), natural_key(folder.name)
