"""How a command that computes is run: progress on the terminal, its value as text or JSON, an error as one sentence."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from tqdm import tqdm

from demo.errors import DemoError

if TYPE_CHECKING:  # a command line that is wrong is told at once, without torch
    from demo.programs.calls import OwnHead, Step, Told


class Value(Protocol):
    """What a command prints: one line, or JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as values that JSON has."""


def add_network(parser: argparse.ArgumentParser) -> None:
    """Declare which network answers, and with which head."""
    parser.add_argument("--network", default="", help="name of a network, such as resnet50")
    parser.add_argument("--head", default="", help="file of a head that answers in place of ImageNet's classifier")


def open_head(options: argparse.Namespace) -> "OwnHead | None":
    """Open the head that the options name, if they do."""
    from demo.programs.calls import load_head

    return load_head(options.head) if options.head else None


def add_output(parser: argparse.ArgumentParser) -> None:
    """Declare the options that all of these commands have."""
    parser.add_argument("--json", action="store_true", help="print all values as JSON")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def say(options: argparse.Namespace, compute: "Callable[[Told], Value]") -> int:
    """Run a command and print what comes of it.

    Args:
        options: With those of `add_output`.
        compute: Told how far it is, returns the value.

    Returns:
        The exit code: 0, or 1 with one sentence where it could not be done.
    """
    with Bars(is_off=options.quiet) as bars:
        try:
            value = compute(bars.tell)
        except DemoError as error:
            bars.close()
            print(error, file=sys.stderr)
            return 1
        except OSError as error:  # a file that cannot be read or written
            bars.close()
            print(f"{error.filename}: {error.strerror}", file=sys.stderr)
            return 1
    print(json.dumps(value.to_dict(), ensure_ascii=False, indent=2) if options.json else value)
    return 0


class Bars:
    """A progress bar for each kind of step, on the error output of a terminal; nothing is drawn into a file."""

    def __init__(self, *, is_off: bool) -> None:
        self._is_off = True if is_off else None  # None: off where the output is no terminal
        self._bars: dict[str, tqdm[None]] = {}

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the terminal."""
        for bar in self._bars.values():
            bar.close()

    def tell(self, step: "Step") -> None:
        """Show how far a call is."""
        from demo.models.fetch import FetchProgress
        from demo.tasks.features import FeatureProgress
        from demo.tasks.fit import EpochResult

        if isinstance(step, FetchProgress):
            self._show("weights", step.done_bytes, step.total_bytes, unit="B", unit_scale=True)
        elif isinstance(step, FeatureProgress):
            self._show("pictures", step.done, step.total, unit="")
        elif isinstance(step, EpochResult):
            self._show("epochs", step.epoch, step.num_epochs, unit="")

    def _show(self, name: str, done: int, total: int | None, *, unit: str, unit_scale: bool = False) -> None:
        if name not in self._bars:
            self._bars[name] = tqdm(desc=name, total=total, unit=unit, unit_scale=unit_scale, disable=self._is_off)
        bar = self._bars[name]
        bar.total = total
        bar.update(done - bar.n)
