"""Read before any test imports torch: two processes of tests share the cores, so threads that wait must not spin."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
