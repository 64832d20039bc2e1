"""Which words stand in rows of a list at all: asked of a sample, then of the index."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import sqlalchemy as sa

from eventstore.projections.views import View

ROWS_SAMPLED = 500
"""Of so many rows the words are read; those of other rows are asked of the index."""


class Likeness(NamedTuple):
    """How a word of a row has to begin, or, if it *is_whole*, what it has to be."""

    word: str
    is_whole: bool = False

    # Letters and figures, and a dot: none has a meaning for LIKE or in quotes.

    @property
    def pattern(self) -> str:
        """The pattern for LIKE, where there is a blank around each word."""
        return f"% {self.word} %" if self.is_whole else f"% {self.word}%"

    @property
    def query(self) -> str:
        """The tsquery."""
        return f"'{self.word}'" if self.is_whole else f"'{self.word}':*"


def index_of(expression: str) -> str:
    """Return the SQL of what an index of the words in *expression* is over."""
    return f"array_to_tsvector(string_to_array({expression}, ' '))"


class KnownWords:
    """
    Whether words stand in rows of a view, in any of them, and without counting these.

    *expression* is SQL whose value is the words of a row. What a sample of the rows has
    is not asked of the index, which would list all rows of a frequent word; of few rows
    the index is not asked at all.
    """

    def __init__(
        self, view: View[Any], connection: sa.Connection, expression: str
    ) -> None:
        self.key = view.key
        self.source = f"{view.table.schema}.{view.name}"
        self.connection = connection
        self.expression = expression

    @cached_property
    def sample(self) -> Sequence[str]:
        """The words of the last rows, each once, sorted, without those of figures."""
        words, _ = self.words_of_last
        return [word for word in words if not re.search("[0-9]", word)]

    @cached_property
    def words_of_last(self) -> tuple[Sequence[str], bool]:
        """
        The words of the last rows, sorted, and whether there are no other rows.

        If there are, words of figures are left out: most are those of one row.
        """
        words, is_all = self.connection.execute(
            sa.text(
                f"""
                WITH last AS (
                    SELECT string_to_array({self.expression}, ' ') AS words
                    FROM {self.source} ORDER BY {self.key} DESC LIMIT :most
                ),
                size AS (SELECT count(*) < :most AS is_all FROM last)
                SELECT
                    (
                        SELECT array_agg(DISTINCT word)
                        FROM last, unnest(words) AS word
                        WHERE word !~ '[0-9]' OR (SELECT is_all FROM size)
                    ),
                    is_all
                FROM size
                """
            ),
            {"most": ROWS_SAMPLED},
        ).one()
        return sorted(words or ()), is_all

    def keep_known(self, asked: Iterable[Likeness]) -> set[Likeness]:
        """Return those of *asked* that a row has; the index is asked once for all."""
        wanted = set(asked)
        found = {one for one in wanted if self.is_sampled(one)}
        is_all = self.words_of_last[1]
        rest = {} if is_all else {one.query: one for one in wanted - found}
        if rest:
            rows = self.connection.execute(
                sa.text(
                    f"""
                    SELECT query FROM unnest(CAST(:queries AS text[])) AS asked (query)
                    WHERE EXISTS (
                        -- Beside the join all rows seem to be wanted. For a single one,
                        -- and that is all there is read, the planner would walk.
                        SELECT FROM generate_series(1, 1), (
                            SELECT FROM {self.source}
                            WHERE {index_of(self.expression)} @@ CAST(query AS tsquery)
                            OFFSET 0
                        ) AS found
                    )
                    """
                ),
                {"queries": list(rest)},
            )
            found |= {rest[query] for (query,) in rows}
        return found

    def is_sampled(self, asked: Likeness) -> bool:
        words, _ = self.words_of_last
        place = bisect_left(words, asked.word)
        if place == len(words):
            return False
        word = words[place]
        return word == asked.word if asked.is_whole else word.startswith(asked.word)
