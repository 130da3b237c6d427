"""Groups of outputs by name: a NamedTuple holds components when the page is built, and their values when it is filled.

gradio takes and gives lists by position. A group keeps each component and its value under one name; groups lie in
groups, and one that does not change says so as a whole.
"""

from typing import Any, TypeVar, get_type_hints

import gradio as gr

Group = TypeVar("Group", bound=tuple[Any, ...])


def unchanged(group: type[Group]) -> Group:
    """Return a group (a NamedTuple class) of which nothing changes on the page."""
    hints = get_type_hints(group)
    fields: tuple[str, ...] = group._fields  # type: ignore[attr-defined]
    return group(*(unchanged(hints[name]) if _is_group(hints[name]) else gr.skip() for name in fields))


def flatten(values: Any) -> Any:
    """Return groups, or a tuple or list of groups and single ones, as the flat list that gradio takes.

    A single value stays as it is. Only groups are opened: a tuple within is somebody's value.
    """
    if _is_group(type(values)) or type(values) in (tuple, list):
        return [one for each in values for one in (flatten(each) if _is_group(type(each)) else [each])]
    return values


def _is_group(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")
