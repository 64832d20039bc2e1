"""Searching a list: what begins with the words first, then what is like them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import sqlalchemy as sa

from eventstore.projections.views import Page, Search, View
from readmodels.asked_words import Term, terms_of
from readmodels.row_words import TAIL
from readmodels.typos import MIN_OF_BEGINNING, may_be_typo, variants_of

MAX_GUESSED = 3
"""How many words of a search may have a slip: each is looked up in some hundred ways."""


def index_of(expression: str) -> str:
    """Return the SQL of what an index of the words in *expression* is over."""
    return f"array_to_tsvector(string_to_array({expression}, ' '))"


class Likeness:
    """How a word of a row has to be: *pattern* for LIKE, *query* for a tsquery."""

    __slots__ = ("pattern", "query")

    def __init__(self, word: str, *, is_whole: bool = False) -> None:
        # Letters and figures, and a dot: none has a meaning for LIKE or in quotes.
        self.pattern = f"% {word} %" if is_whole else f"% {word}%"
        self.query = f"'{word}'" if is_whole else f"'{word}':*"


Ways = Sequence[Sequence[Likeness]]
"""A term is found if all of one of these are."""


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
    first: sa.ColumnElement[bool] | None,
    **how: Any,
) -> Page[Any]:
    """
    Return a page of the rows that a search finds; *how* is as for `View.page`.

    Rows where each word that was *asked* begins a word come first. A first page that
    they do not fill goes on with rows that are like it: a word may begin within one of
    the row's, and have one slip if it stands in no row. `Page.similar` is their number;
    there are no further pages of them.
    """
    exact = search_for(expression, asked)
    page = view.page(connection, *where, search=exact, first=first, **how)
    room = how["limit"] - len(page.rows)
    if how["after"] is not None or page.following is not None or room <= 0:
        return page
    similar = search_similar(view, connection, expression, asked)
    if similar is None:
        return page
    how |= {"limit": room, "search": similar}
    more = view.page(connection, *where, sa.not_(exact.by_row), **how).rows
    return replace(page, rows=[*page.rows, *more], similar=len(more))


def search_similar(
    view: View[Any], connection: sa.Connection, expression: str, asked: str
) -> Search | None:
    """Return the search for what is like *asked*; None if nothing more is."""
    terms = terms_of(asked)
    exact, parts = [ways_of(term) for term in terms], [part_of(term) for term in terms]
    known = are_there(view, connection, expression, [*exact, *filter(None, parts)])
    found_by = [
        [
            way
            for ways in (ways, part)
            if ways and query_of(ways) in known
            for way in ways
        ]
        for ways, part in zip(exact, parts, strict=True)
    ]
    unknown = [n for n, ways in enumerate(found_by) if not ways]
    if len(unknown) > MAX_GUESSED:
        return None
    guessed = {n: guesses_for(terms[n]) for n in unknown}
    if not all(guessed.values()):
        return None
    if guessed:
        among = [[way] for ways in guessed.values() for way in ways]
        known = are_there(view, connection, expression, among)
        for n, ways in guessed.items():
            found_by[n] = [way for way in ways if query_of([way]) in known]
    if not all(found_by) or all(map(same, found_by, exact)):
        return None
    return search_by(expression, found_by)


def same(one: Ways, other: Ways) -> bool:
    return query_of(one) == query_of(other)


def part_of(term: Term) -> Ways | None:
    """Return how the term is found within words; None for what may be a number."""
    return None if term.word is None else [[Likeness(TAIL + term.word)]]


def guesses_for(term: Term) -> Ways:
    """Return how the term may have been meant, if one letter of it is wrong."""
    word = term.word
    if word is None or not may_be_typo(word):
        return []
    is_whole = len(word) < MIN_OF_BEGINNING
    return [[Likeness(v, is_whole=is_whole)] for v in variants_of(word)]


def are_there(
    view: View[Any], connection: sa.Connection, expression: str, asked: Iterable[Ways]
) -> set[str]:
    """
    Return the texts of those queries that find a row.

    Each is asked of the index alone, some hundred in a few milliseconds.
    """
    found: set[str] = set()
    for queries in batches(map(query_of, asked), 1_000):
        rows = connection.execute(
            sa.text(
                f"""
                SELECT query FROM unnest(CAST(:queries AS text[])) AS asked (query)
                WHERE EXISTS (
                    -- Beside the join all rows seem to be wanted. For a single one, and
                    -- that is all there is read, the planner would walk the table.
                    SELECT FROM generate_series(1, 1), (
                        SELECT FROM {view.table.schema}.{view.name}
                        WHERE {index_of(expression)} @@ CAST(query AS tsquery)
                        OFFSET 0
                    ) AS found
                )
                """
            ),
            {"queries": queries},
        )
        found |= {query for (query,) in rows}
    return found


def batches(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(texts)
    while some := list(islice(rest, size)):
        yield some
