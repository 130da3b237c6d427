"""Sentences with places to fill, in as many forms as a language needs."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Plural:
    """A sentence that counts something: one form for a single one, another for all other numbers.

    English needs both; in a language without plural, such as Chinese, the two are the same.
    """

    one: str
    other: str

    def format(self, *, count: int, **values: Any) -> str:
        """Fill the form that goes with `count`."""
        return (self.one if count == 1 else self.other).format(count=count, **values)


Sentence = str | Plural


def forms_of(sentence: Sentence) -> tuple[str, ...]:
    """Return the one or two texts of a sentence, the one for many last."""
    return (sentence.one, sentence.other) if isinstance(sentence, Plural) else (sentence,)
