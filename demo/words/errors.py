"""What can be wrong with the files of words."""

from demo.errors import StartError


class WordsWrong(StartError):
    """A file of words does not have the entries that the page needs."""

    file: str
    place: str
    reason: str
    message = "{file}: {place} {reason}."
