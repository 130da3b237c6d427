"""Vision pretrained models: predict with them, put a head of your own on them, look inside them.

What a visitor brings (`data`) meets what has been learned (`models`); a task does one thing with the two (`tasks`); a
visitor keeps what came of it (`visitors`); the page shows it (`ui`), in the visitor's words (`words`). Imports point
one way, as docs/architecture.md draws it; `figures` knows values only.
"""

import os
import sys

# torchvision imports torch's compiler for a single function, and that imports triton, which compiles for GPUs. Without
# one 80 MB less are resident. None in the place of a module is Python's way to say that there is none.
if os.environ.get("DEMO_DEVICE", "") in ("", "cpu"):
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]
