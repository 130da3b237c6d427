"""The tree of errors and the drawing of it."""

import re
from collections.abc import Iterator
from string import Formatter

import pytest

from demo import errors
from demo.errors import DemoError


def descendants(error: type[DemoError]) -> Iterator[type[DemoError]]:
    for child in error.__subclasses__():
        yield child
        yield from descendants(child)


# Only the program's own: a test may have one for itself.
CLASSES = [error for error in descendants(DemoError) if error.__module__.startswith("demo.")]
LEAVES = [error for error in CLASSES if not error.__subclasses__()]
GROUPS = [error for error in CLASSES if error.__subclasses__()]


def drawn_parents() -> dict[str, str]:
    """Return what the docstring draws, child to parent: a branch names its group first, then the leaves of it."""
    drawing = (errors.__doc__ or "").split("\n\n")[1]
    groups = ["DemoError"]
    parents: dict[str, str] = {}
    for line in drawing.splitlines()[1:]:
        names = re.findall(r"\w+", line)
        if "──" in line:
            depth = line.index("──") // 4
            del groups[depth:]
            parents[names[0]] = groups[-1]
            groups.append(names.pop(0))
        parents.update(dict.fromkeys(names, groups[-1]))
    return parents


def test_the_docstring_draws_the_tree_as_it_is() -> None:
    assert drawn_parents() == {error.__name__: error.__bases__[0].__name__ for error in CLASSES}


def test_all_errors_are_in_the_module_that_draws_them() -> None:
    assert {error.__module__ for error in CLASSES} == {"demo.errors"}


@pytest.mark.parametrize("error", LEAVES, ids=lambda error: error.__name__)
def test_every_leaf_has_a_message_of_its_own(error: type[DemoError]) -> None:
    assert error.__dict__.get("message", "").strip()


@pytest.mark.parametrize("error", GROUPS, ids=lambda error: error.__name__)
def test_groups_are_not_raised_and_have_no_message(error: type[DemoError]) -> None:
    assert error.message == ""


def test_no_two_errors_say_the_same() -> None:
    assert len({error.message for error in LEAVES}) == len(LEAVES)


@pytest.mark.parametrize("error", LEAVES, ids=lambda error: error.__name__)
def test_placeholders_have_names(error: type[DemoError]) -> None:
    names = [name for _, name, _, _ in Formatter().parse(error.message) if name is not None]
    assert all(name.isidentifier() for name in names)


def test_values_fill_the_message_and_are_kept() -> None:
    error = errors.ClassTooSmall(class_name="cat", count=1, limit=2)
    assert str(error) == 'Class "cat" has 1 picture(s); each class needs at least 2. Add some.'
    assert error.values == {"class_name": "cat", "count": 1, "limit": 2}


def test_braces_in_a_value_are_only_text() -> None:
    assert '"{0} {limit}"' in str(errors.NotAnImage(name="{0} {limit}"))


def test_errors_among_the_values_are_put_in_words() -> None:
    tried = [errors.SourceAbsent(place="/weights"), errors.DownloadRefused(host="example.org", status=404)]
    assert str(errors.WeightsMissing(backbone="ResNet-152", tried=tried)) == (
        "The weights of ResNet-152 could not be had. Tried: /weights: not there; example.org: refused (status 404). "
        "Try again later, or choose another network."
    )
    assert "Tried: /weights: not there. Try" in str(errors.WeightsMissing(backbone="ResNet-152", tried=tried[0]))


def test_a_missing_value_is_noticed_where_the_error_is_raised() -> None:
    with pytest.raises(KeyError):
        errors.NotAnImage()
