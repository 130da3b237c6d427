"""Garbage is collected while visitors are there, but not by a look at all that is there."""

import subprocess
import sys

from tests.conftest import PROJECT

# In a process of its own: others in this one collect garbage too.
_PROGRAM = """
import gc, time, weakref
from demo.ui.lifetime.garbage import Garbage

class Ring:
    def __init__(self): self.ring = self

def is_gone(ring): return ring() is None

now, clock = [0.0], [0.0]
time.process_time, time.monotonic = lambda: now[0], lambda: clock[0]
garbage = Garbage()

def leave_out_a_ring():
    ring = Ring()
    garbage.look_at_all()
    gc.disable()
    return weakref.ref(ring)

old = leave_out_a_ring()
new = weakref.ref(Ring())
garbage.sweep(is_anybody_there=True)
print("nothing was computed:", is_gone(new), is_gone(old))
now[0] = 1.0
garbage.sweep(is_anybody_there=True)
print("while somebody is there:", is_gone(new), is_gone(old))
garbage.sweep(is_anybody_there=False)
print("once nobody is:", is_gone(old))

ring = leave_out_a_ring()
garbage.note_end(1.0)
garbage.sweep(is_anybody_there=True)
print("when another has left:", is_gone(ring))
garbage.note_end(0.0)
garbage.sweep(is_anybody_there=True)
print("when they have left:", is_gone(ring))

old = leave_out_a_ring()
now[0], clock[0] = 2.0, 601.0
garbage.sweep(is_anybody_there=True)
print("after ten minutes:", is_gone(old))
"""


def test_what_was_there_is_looked_at_once_nobody_would_have_to_wait() -> None:
    run = subprocess.run([sys.executable, "-c", _PROGRAM], cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert run.stdout.splitlines() == [
        "nothing was computed: False False",
        "while somebody is there: True False",
        "once nobody is: True",
        "when another has left: False",
        "when they have left: True",
        "after ten minutes: True",
    ], run.stderr
