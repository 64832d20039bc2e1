"""What is asked of the search store, as its server understands it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from readmodels.asked_words import Term, terms_of
from readmodels.row_words import is_part
from readmodels.searching import MAX_GUESSED
from readmodels.stores.search.forms import MAX_BEGINNING
from readmodels.typos import MIN_OF_BEGINNING, may_be_typo, variants_of

Query = Mapping[str, Any]

NOTHING: Query = {"match_none": {}}
CHECKPOINT: Query = {"term": {"is_checkpoint": True}}


class SearchTerms:
    """
    What was typed, term by term: where a row has it, is like it, and may have it.

    All terms must be found: *exactly* where each word begins one of the row's. Of what
    is not found so, a part of a word may be meant, or a word with one slip.
    """

    def __init__(self, asked: str) -> None:
        self.terms = terms_of(asked)
        self.exactly = [any_of(map(way_of, term.ways)) for term in self.terms]
        self.parts = [part_of(term) for term in self.terms]

    def query(self) -> Query:
        """Return the query for rows that begin with all that was asked."""
        return all_of(self.exactly)

    def asked_first(self) -> Mapping[str, Query]:
        """Return queries by name, of which `similar` wants to know what they find."""
        named = {f"exactly {n}": query for n, query in enumerate(self.exactly)}
        for n, part in enumerate(self.parts):
            if part is not None:
                named[f"part {n}"] = part
        return named

    def similar(self, found: Collection[str]) -> Query | None:
        """
        Return the query for rows that are like what was asked; None if nothing is.

        *found* has the names of those queries of `asked_first` that find a row.
        """
        if not any(self.parts):
            # Numbers are neither found within words nor guessed.
            return None
        ways: list[list[Query]] = []
        guessed = 0
        for n, term in enumerate(self.terms):
            known = [self.exactly[n]] if f"exactly {n}" in found else []
            part = self.parts[n]
            if part is not None and f"part {n}" in found:
                known.append(part)
            if not known:
                guessed += 1
                known = [guess for guess in [guess_of(term)] if guess is not None]
            ways.append(known)
        is_new = any(
            known != [exactly]
            for known, exactly in zip(ways, self.exactly, strict=True)
        )
        if guessed > MAX_GUESSED or not all(ways) or not is_new:
            return None
        return both(all_of(map(any_of, ways)), but=self.query())


def way_of(words: Sequence[str]) -> Query:
    """Return the query for rows in which each of *words* begins a word."""
    return all_of([begins(word) for word in words])


def begins(word: str, field: str = "words") -> Query:
    """Return the query for rows in which *word* begins a word of *field*."""
    if len(word) <= MAX_BEGINNING:
        return {"term": {f"{field}.beginnings": {"value": word}}}
    return {"prefix": {field: {"value": word}}}


def part_of(term: Term) -> Query | None:
    """Return the query for a part of a word; None for what may be none."""
    word = term.word
    return begins(word, "ends") if word is not None and is_part(word) else None


def guess_of(term: Term) -> Query | None:
    """Return the query for a word with one slip; None where there is none to guess."""
    word = term.word
    if word is None or not may_be_typo(word):
        return None
    field = "words" if len(word) < MIN_OF_BEGINNING else "words.beginnings"
    # Not the server's own fuzzy query: this is what PostgreSQL looks for, no more.
    return {"terms": {field: variants_of(word)}}


def all_of(queries: Iterable[Query]) -> Query:
    """Return the query for what all find; without any, for nothing."""
    several = list(queries)
    if len(several) == 1:
        return several[0]
    return {"bool": {"filter": several}} if several else NOTHING


def any_of(queries: Iterable[Query]) -> Query:
    """Return the query for what one of them finds."""
    several = list(queries)
    if len(several) == 1:
        return several[0]
    return {"bool": {"should": several, "minimum_should_match": 1}}


def both(query: Query, *, but: Query) -> Query:
    return {"bool": {"filter": [query], "must_not": [but]}}
