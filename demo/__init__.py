"""Vision pretrained models: predict with them, put a head of your own on them, look inside them.

What a visitor brings (`data`) meets what has been learned (`models`); a task does one thing with the two (`tasks`); a
visitor keeps what came of it (`visitors`); the page shows it (`ui`), in the visitor's words (`words`). Imports point
one way, as docs/architecture.md draws it; `figures` knows values only.
"""

import os
import sys
from typing import Any

from demo.system import has_gpu_driver

# torchvision imports torch's compiler for a single function, and that imports triton, which compiles for GPUs. Without
# one 80 MB less are resident. None in the place of a module is Python's way to say that there is none.
if os.environ.get("DEMO_DEVICE") == "cpu" or not has_gpu_driver():
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]

_CALLS = ("predict", "explain", "fine_tune", "load_head", "starter")


def __getattr__(name: str) -> Any:
    """Return what a notebook calls: it is imported at the first use, for it needs torch."""
    if name not in _CALLS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from demo.programs import calls

    return getattr(calls, name)
