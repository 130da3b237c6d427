"""Errors of calls from a notebook or the command line."""

from demo.errors import DemoError


class NoSuchFile(DemoError):
    """There is no file or folder of that name."""

    path: str
    message = 'There is no file or folder "{path}". Check the name.'


class ClassNotThere(DemoError):
    """Neither the network nor the head has a class of that name."""

    class_name: str
    known: str
    message = 'There is no class "{class_name}". There are: {known}.'


class HeadOfAnotherNetwork(DemoError):
    """A head was given together with the name of a network that it does not belong to."""

    network: str
    belongs: str
    message = "The head belongs to {belongs}, not to {network}. Leave the network out, or name {belongs}."


class NoSuchStarter(DemoError):
    """There is no starter set of that name."""

    name: str
    known: str
    message = 'There is no starter set "{name}". There are: {known}.'
