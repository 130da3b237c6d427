"""Train a new head on a pretrained network with your own pictures, and write it to a file."""

import argparse
from typing import Any

from demo.command.output import add_output, say
from demo.data.reading import ANSWERS, Doubt

HELP = "train a head with a folder, or a zip, of class folders"

# Options with the field of the recipe that each of them is.
_NUMBERS = {"--epochs": "epochs", "--seed": "seed", "--batch-size": "batch_size", "--patience": "patience"}
_CHOICES = {"--trains": ("head", "last_stage", "everything"), "--optimizer": ("adamw", "sgd", "ridge")}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("pictures", help="folder, or zip, of a folder of pictures for each class")
    parser.add_argument(
        "--answer",
        action="append",
        default=[],
        type=read_answer,
        metavar="QUESTION=ANSWER",
        help="answer what is asked about the files: masks=leave_out",
    )
    parser.add_argument("--out", default="own.head", metavar="FILE", help="file that the head is written to")
    parser.add_argument("--network", default="", help="name of a network, such as resnet50")
    for option, field in _NUMBERS.items():
        parser.add_argument(option, dest=field, type=int, help="as in the recipe of the page")
    for option, choices in _CHOICES.items():
        parser.add_argument(option, dest=option.lstrip("-"), choices=choices, help="as in the recipe of the page")
    parser.add_argument("--learning-rate", dest="learning_rate", type=float, help="as in the recipe of the page")
    parser.add_argument("--hidden-layers", type=int, help="hidden layers of the head")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Train, and write the head."""
    from demo.programs.calls import Told, fine_tune
    from demo.programs.values import Training

    def train(tell: Told) -> Training:
        head = fine_tune(
            options.pictures,
            network=options.network,
            recipe=_recipe(options),
            answers=dict(options.answer),
            tell=tell,
        )
        head.save(options.out)
        assert head.training is not None, "a head that was trained just now knows how"
        return head.training

    return say(options, train)


def read_answer(text: str) -> tuple[str, str]:
    """Return a question and what is answered to it.

    Raises:
        ArgumentTypeError: If there is no such question, or no such answer to it.
    """
    doubt, _, said = text.partition("=")
    answers = {each.value: [one.value for one in ANSWERS[each]] for each in Doubt}
    if said not in answers.get(doubt, ()):
        known = "; ".join(f"{name}={'|'.join(each)}" for name, each in answers.items())
        raise argparse.ArgumentTypeError(f"{text} is none of {known}")
    return doubt, said


def _recipe(options: argparse.Namespace) -> Any:
    """Return what is suggested for the layers that are trained, with what the options say."""
    from dataclasses import replace

    from demo.models.recipe import SUGGESTED_RECIPES, HeadConfig, Optimizer, Trains

    names = (*_NUMBERS.values(), "learning_rate")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.optimizer:
        given["optimizer"] = Optimizer(options.optimizer)
    if options.hidden_layers is not None:
        given["head"] = HeadConfig(options.hidden_layers)
    return replace(SUGGESTED_RECIPES[Trains(options.trains or "head")], **given)
