"""What ImageNet's classes are called in the metadata of torchvision's weights."""

import runpy
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def read_class_names() -> tuple[str, ...]:
    """Return the names in the order of the logits; they are read from torchvision's file, which imports no torch."""
    package = find_spec("torchvision")
    assert package is not None and package.submodule_search_locations, "it is in requirements.txt"
    names = runpy.run_path(str(Path(package.submodule_search_locations[0], "models", "_meta.py")))
    return tuple(names["_IMAGENET_CATEGORIES"])
