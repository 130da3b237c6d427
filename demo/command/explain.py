"""Show where in a picture the evidence for a class lies: a class map, drawn on the picture."""

import argparse

from demo.command.output import add_network, add_output, open_head, say

HELP = "draw where in a picture the evidence for a class lies"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("picture", help="file of a picture")
    parser.add_argument("--class", dest="class_name", default="", help="name of the class; else the most probable one")
    parser.add_argument("--stage", choices=("low", "middle", "high"), default="high", help="stage that is looked at")
    parser.add_argument("--out", default="map.png", metavar="FILE", help="file that is drawn")
    add_network(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Draw the map."""
    from demo.programs.calls import Told, explain
    from demo.programs.values import Explanation

    def draw(tell: Told) -> Explanation:
        found = explain(
            options.picture,
            network=options.network,
            head=open_head(options),
            class_name=options.class_name,
            stage=options.stage,
            tell=tell,
        )
        found.draw().save(options.out)
        return found

    return say(options, draw)
