"""The command line `python -m demo`: it finds the command and hands over to it."""

import argparse
from collections.abc import Sequence
from types import ModuleType

from demo.command import evaluate, explain, fine_tune, predict, serve
from demo.settings import end_if_wrong
from demo.system import keep_memory_together

COMMANDS: dict[str, ModuleType] = {
    "serve": serve,
    "predict": predict,
    "explain": explain,
    "fine-tune": fine_tune,
    "evaluate": evaluate,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: What follows `python -m demo`; the process's own by default.

    Returns:
        The exit code: 0 if it did what was asked; 1, with one sentence, if the pictures or the head do not allow it;
        2 if the command or a setting is wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m demo", description="Vision networks to use, train and look into.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=command.HELP, description=command.__doc__)
        command.add_options(subparser)
    options = parser.parse_args(arguments)
    keep_memory_together()
    with end_if_wrong():
        code: int = COMMANDS[options.command].run(options)
    return code
