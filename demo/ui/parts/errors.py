"""What can be wrong with the values of a form."""

from collections.abc import Sequence

from demo.errors import OptionError
from demo.sentences import Plural


class OptionNotWhole(OptionError):
    """A number has to be a whole one."""

    option: str
    value: float
    message = "{option} is {value}; it must be a whole number."


class NumberOfNetworks(OptionError):
    """Too few or too many networks are to be compared."""

    count: int
    low: int
    high: int
    message = Plural(
        one="{count} network is chosen; choose {low} to {high}.",
        other="{count} networks are chosen; choose {low} to {high}.",
    )


class TooManyInBatch(OptionError):
    """There are too many pictures in a batch."""

    count: int
    limit: int
    message = "There are {count} pictures; at most {limit} are read at once. Choose fewer."


class OptionNotNumber(OptionError):
    """A value has to be a number."""

    option: str
    value: str
    message = "{option} is {value}; it must be a number."


class UnknownChoice(OptionError):
    """A choice is not among those that there are."""

    option: str
    value: str
    known: str
    message = "{option} is {value}; choose one of: {known}."


class NothingToJoin(OptionError):
    """Fewer than two classes are to be joined."""

    message = "Tick two classes or more, and then press the button that joins them."


class PageOutdated(OptionError):
    """What a visitor changes is not there any more: another page of the session has changed it."""

    message = "What you change here is not there any more. Reload the page to see how things are now."


class OptionNotObject(OptionError):
    """A value has to be a JSON object."""

    option: str
    value: str
    example: str
    message = "{option} is {value}; it must be a JSON object, for example {example}."


class QuestionsAsked(OptionError):
    """The page would ask before it trains, and a program has not said what it would answer."""

    questions: Sequence[str]
    example: str
    message = (
        "Before training, something is asked. {questions} Call again with your answers, such as answers = {example}."
    )
