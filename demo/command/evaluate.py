"""Compare a head's answers with the labels of pictures: a folder, or a zip, of class folders named as its classes."""

import argparse

from demo.command.output import add_output, say

HELP = "count how many pictures of a labelled folder a head gets right"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("head", help="file of a head")
    parser.add_argument("pictures", help="folder, or zip, of a folder of pictures for each class")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Count the right answers."""
    from demo.programs.calls import load_head

    return say(options, lambda tell: load_head(options.head).evaluate(options.pictures, tell=tell))
