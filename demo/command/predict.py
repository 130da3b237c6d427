"""Name what a network pretrained on ImageNet, or a head of your own, sees in a picture."""

import argparse

from demo.command.output import add_network, add_output, open_head, say

HELP = "name what is in a picture"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("picture", help="file of a picture")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="how many classes to name")
    add_network(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Name what is in the picture."""
    from demo.programs.calls import predict

    return say(
        options,
        lambda tell: predict(
            options.picture, network=options.network, head=open_head(options), top_k=options.top, tell=tell
        ),
    )
