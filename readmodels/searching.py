"""Searching a list: what begins with the words first, then what is like them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from eventstore.projections.views import Page, Search, View
from readmodels.asked_words import Term, terms_of
from readmodels.known_words import KnownWords, Likeness, index_of
from readmodels.row_words import TAIL, is_part
from readmodels.typos import MIN_OF_BEGINNING, may_be_typo, variants_of

MAX_GUESSED = 3
"""How many words of a search may have a slip: each has hundreds of variants."""


Ways = Sequence[Sequence[Likeness]]
"""A term is found if all of one of these are."""
Parts = Mapping[str, Sequence[Likeness]]
"""By a word that was asked for, what it stands within."""
FindParts = Callable[[KnownWords, Sequence[str]], Parts]


def search_for(expression: str, asked: str) -> Search:
    """
    Return the search for rows where each word of *asked* begins one in *expression*.

    *expression* is SQL whose value is the words of a row, with a blank between them. A
    telephone number is found in whatever way it is written.
    """
    return search_by(expression, [ways_of(term) for term in terms_of(asked)])


def ways_of(term: Term) -> Ways:
    return [[Likeness(word) for word in way] for way in term.ways]


def search_by(expression: str, found_by: Sequence[Ways]) -> Search:
    """Return the search for rows where each of *found_by* holds; for none without."""
    if not found_by:
        # Nothing but signs was typed, and nothing is called that.
        return Search(by_row=sa.false(), by_index=sa.false())
    text: sa.ColumnElement[str] = sa.literal_column(
        f"(' ' || {expression} || ' ')", sa.Text
    )
    tried = (
        sa.or_(*(sa.and_(*(text.like(w.pattern) for w in way)) for way in ways))
        for ways in found_by
    )
    # The SELECT hides the words from the planner. It would look them up in its
    # statistics, which have common words alone, and take a rare one for common.
    found = sa.text(f"{index_of(expression)} @@ (SELECT CAST(:wanted AS tsquery))")
    query = " & ".join(map(query_of, found_by))
    return Search(
        by_row=sa.and_(*tried),
        by_index=found.bindparams(wanted=query),  # type: ignore[arg-type]  # a condition all the same
    )


def query_of(ways: Ways) -> str:
    """Return the text of the tsquery for one of *ways*."""
    parts = (" & ".join(likeness.query for likeness in way) for way in ways)
    return f"({' | '.join(f'({part})' for part in parts)})"


def find_page(
    view: View[Any],
    connection: sa.Connection,
    *where: sa.ColumnElement[bool],
    expression: str,
    asked: str,
    parts: FindParts,
    first: sa.ColumnElement[bool] | None,
    **how: Any,
) -> Page[Any]:
    """
    Return a page of the rows that a search finds; *how* is as for `View.page`.

    Rows where each word that was *asked* begins a word come first. A first page that
    they do not fill goes on with rows that are like it: a word may begin within one of
    the row's, and have one slip if it stands in no row. `Page.similar` is their number;
    there are no further pages of them. *parts* says how words are found within others.
    """
    exact = search_for(expression, asked)
    page = view.page(connection, *where, search=exact, first=first, **how)
    room = how["limit"] - len(page.rows)
    if how["after"] is not None or page.following is not None or room <= 0:
        return page
    similar = search_similar(KnownWords(view, connection, expression), asked, parts)
    if similar is None:
        return page
    how |= {"limit": room, "search": similar}
    more = view.page(connection, *where, sa.not_(exact.by_row), **how).rows
    return replace(page, rows=[*page.rows, *more], similar=len(more))


def search_similar(known: KnownWords, asked: str, parts: FindParts) -> Search | None:
    """Return the search for what is like *asked*; None if nothing more is."""
    terms = terms_of(asked)
    if not any(term.word and is_part(term.word) for term in terms):
        # Numbers are neither found within words nor guessed.
        return None
    begun = keep_known([ways_of(term) for term in terms], known)
    within = parts(known, [t.word for t in terms if t.word and is_part(t.word)])
    found_by: list[Ways] = [
        [*ways, *([like] for like in within.get(term.word or "", ()))]
        for term, ways in zip(terms, begun, strict=True)
    ]
    unknown = [n for n, ways in enumerate(found_by) if not ways]
    if len(unknown) > MAX_GUESSED:
        return None
    guesses = [guesses_for(terms[n]) for n in unknown]
    if not all(guesses):
        return None
    for n, ways in zip(unknown, keep_known(guesses, known), strict=True):
        found_by[n] = ways
    if not all(found_by) or found_by == begun:
        return None
    return search_by(known.expression, found_by)


def keep_known(asked: Sequence[Ways], known: KnownWords) -> list[Ways]:
    """Return the ways of each of *asked* of which all words stand in rows."""
    words = known.keep_known(word for ways in asked for way in ways for word in way)
    return [[way for way in ways if words.issuperset(way)] for ways in asked]


def tails_that_begin(known: KnownWords, asked: Sequence[str]) -> Parts:
    """Return the ends of words that begin with each of *asked*: rows have them."""
    tails = {word: Likeness(TAIL + word) for word in asked}
    found = known.keep_known(tails.values())
    return {word: [tail] for word, tail in tails.items() if tail in found}


def guesses_for(term: Term) -> Ways:
    """Return how the term may have been meant, if one letter of it is wrong."""
    word = term.word
    if word is None or not may_be_typo(word):
        return []
    is_whole = len(word) < MIN_OF_BEGINNING
    return [[Likeness(variant, is_whole)] for variant in variants_of(word)]
