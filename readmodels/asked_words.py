"""What was asked for in a search: terms, each with the words by which it is found."""

from dataclasses import dataclass

from readmodels.phones import phone_runs
from readmodels.words import words

MAX_TERMS = 16
"""So many terms are looked for; who types more pastes a text."""


@dataclass(frozen=True, slots=True)
class Term:
    """
    One thing that was asked for.

    It is found by one of *ways*: where each word of it begins a word of the row.
    """

    ways: tuple[tuple[str, ...], ...]

    @property
    def word(self) -> str | None:
        """The word that was typed; None if it may be a telephone number."""
        return self.ways[0][0] if len(self.ways) == 1 else None


def terms_of(asked: str) -> list[Term]:
    """Return the terms of *asked*, each once; all of them have to be found."""
    terms: list[Term] = []
    end = 0
    for start, run, numbers in phone_runs(asked):
        terms += terms_of_words(asked[end:start])
        end = start + len(run)
        ways = [tuple(words(run).split()), *((number,) for number in numbers)]
        terms.append(Term(tuple(ways)))
    terms += terms_of_words(asked[end:])
    return list(dict.fromkeys(terms))[:MAX_TERMS]


def terms_of_words(asked: str) -> list[Term]:
    return [Term(((word,),)) for word in words(asked).split()]
