"""What all errors have in common, whatever floor they stand on."""

import importlib
import pkgutil

import pytest

import demo
from demo.data.errors import ClassTooSmall, NotAnImage
from demo.errors import DemoError, find_leaves
from demo.models.errors import DownloadRefused, SourceAbsent, WeightsMissing
from demo.sentences import forms_of
from demo.words.language import find_places

for module in pkgutil.walk_packages(demo.__path__, "demo."):
    if module.name.endswith(".errors"):
        importlib.import_module(module.name)
LEAVES = find_leaves()
GROUPS = {base for error in LEAVES.values() for base in error.__mro__[1:] if issubclass(base, DemoError)}


def test_every_leaf_has_a_sentence_of_its_own_and_a_field_for_each_place_in_it() -> None:
    for error in LEAVES.values():
        assert "message" in vars(error), error
        for form in forms_of(error.message):
            assert form.strip(), error
            named = {place.partition(":")[0] for place in find_places(form) if ":" in place}
            assert named <= error.__annotations__.keys(), error
            assert error.__annotations__.keys() - named <= {"count"}, f"{error} has a field that its sentence lacks"


def test_groups_are_not_raised_and_have_no_message() -> None:
    assert GROUPS
    assert not [group for group in GROUPS if group.message]


def test_no_two_errors_say_the_same() -> None:
    assert len({error.message for error in LEAVES.values()}) == len(LEAVES)


def test_values_fill_the_message_and_are_kept() -> None:
    error = ClassTooSmall(class_name="cat", count=1, limit=2)
    assert str(error) == 'Class "cat" has 1 picture; each class needs at least 2. Add some.'
    assert error.values == {"class_name": "cat", "count": 1, "limit": 2}


def test_a_count_chooses_the_form() -> None:
    assert "has 0 pictures;" in str(ClassTooSmall(class_name="cat", count=0, limit=2))


def test_braces_in_a_value_are_only_text() -> None:
    assert '"{0} {limit}"' in str(NotAnImage(name="{0} {limit}"))


def test_errors_among_the_values_are_put_in_words() -> None:
    tried = [SourceAbsent(place="/weights"), DownloadRefused(host="example.org", status=404)]
    assert str(WeightsMissing(backbone="ResNet-152", tried=tried)) == (
        "The weights of ResNet-152 could not be had. Tried: /weights: not there; example.org: refused (status 404). "
        "Try again later, or choose another network."
    )
    assert "Tried: /weights: not there. Try" in str(WeightsMissing(backbone="ResNet-152", tried=tried[0]))


def test_a_missing_value_is_noticed_where_the_error_is_raised() -> None:
    with pytest.raises(TypeError):
        NotAnImage()  # type: ignore[call-arg]


def test_errors_stand_in_the_errors_of_a_floor() -> None:
    assert not [error for error in LEAVES.values() if error.__module__.rpartition(".")[2] != "errors"]
