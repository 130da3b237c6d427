"""What can be wrong with a call of the API."""

from demo.errors import DemoError, OptionError
from demo.sentences import Plural


class CallError(DemoError):
    """A program's call cannot be answered as it was sent."""


class UnknownFunction(CallError):
    """The API has no such function."""

    name: str
    known: str
    message = 'The API has no function "{name}". Call one of: {known}.'


class UnknownParameter(CallError):
    """A function has no such parameter."""

    function: str
    name: str
    known: str
    message = '{function} has no parameter "{name}"; it takes: {known}.'


class ValueMissing(CallError):
    """A function cannot do without a value that was not sent."""

    function: str
    name: str
    known: str
    message = "{function} needs {name}, and it was not sent. Its parameters are, in this order: {known}."


class TooManyValues(CallError):
    """More values were sent than a function takes."""

    function: str
    count: int
    known: str
    message = Plural(
        one="{function} was sent {count} value, more than it takes. Its parameters are, in this order: {known}.",
        other="{function} was sent {count} values, more than it takes. Its parameters are, in this order: {known}.",
    )


class ValuesUnordered(CallError):
    """The values of a call are no list."""

    function: str
    known: str
    message = '{function} takes its values as a list, "data", in this order: {known}.'


class HeadOfAnother(OptionError):
    """A head and the network that it was trained on do not go together with the network that is asked for."""

    head: str
    network: str
    message = 'The head was trained on {head}, and backbone is {network}. Send "" as backbone, or {head}.'


class NoSuchClass(OptionError):
    """Neither the network nor the head has such a class."""

    value: str
    first: str
    last: str
    count: int
    message = (
        "There is no class {value}. Send the name of one of the {count} classes, as predict names it, or its number "
        'from 0 on ({first}, …, {last}); "" stands for the most probable one.'
    )
