"""An answer to why in words: each value as it is read, each amount in its currency."""

from collections.abc import Mapping
from typing import Any

import psycopg

from domain.forgotten import FORGOTTEN
from eventstore.explaining.explanation import ColumnChange, Explanation
from readmodels.rows_in_words import AMOUNTS
from webapp.notation import Notation
from webapp.why.wording import NOTHING, Words, is_forgotten

NOT_KNOWN = "not known"


class AnswerWords:
    """
    Puts the values of *found* into words.

    Amounts are in the currency of the row. Where a row has none, as a line of a
    statement, they are in that of the stream which gave them: the account's, or the
    order's. Else they are in the shop's currency, that of *notation*.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        found: Explanation,
        notation: Notation,
    ) -> None:
        self.found = found
        self.notation = notation
        self.of_row = getattr(found.row, "currency", None)
        is_amount = found.column in AMOUNTS and self.of_row is None
        self.of_streams = find_currencies(connection, found) if is_amount else {}

    @property
    def value(self) -> str:
        """The value that is asked about."""
        if self.found.is_there is None:
            return NOT_KNOWN
        newest = self.found.changes[0] if self.found.changes else None
        word = self.words_of(newest).word(self.found.column, self.found.value)
        return self.forgotten(word, newest)

    @property
    def shown(self) -> str:
        """What the read model shows instead."""
        if self.found.is_damaged:
            return "what cannot be read"
        newest = self.found.changes[0] if self.found.changes else None
        return self.words_of(newest).word(self.found.column, self.found.shown)

    def after(self, change: ColumnChange) -> str:
        """The value that a change gave."""
        word = self.words_of(change).word(self.found.column, change.after)
        return self.forgotten(word, change)

    def before(self, change: ColumnChange) -> str:
        """The value before it, which the change before it gave."""
        place = self.found.changes.index(change) + 1
        earlier = self.found.changes[place] if place < len(self.found.changes) else None
        return self.words_of(earlier or change).word(self.found.column, change.before)

    def words_of(self, change: ColumnChange | None) -> Words:
        """Return the words for what a change gave."""
        of_stream = None if change is None else self.of_streams.get(change.stream_id)
        currency = self.of_row or of_stream or self.notation.currency
        return Words(currency=currency, notation=self.notation)

    def forgotten(self, word: str, change: ColumnChange | None) -> str:
        """Return *word*; what a person had and is empty since is forgotten, too."""
        is_gone = self.found.is_personal and change is not None and change.forgets
        return FORGOTTEN if is_gone and word == NOTHING else word

    def is_unreadable(self, change: ColumnChange) -> bool:
        """
        Return whether a value of a person can no longer be read.

        It is what was before an event that forgets, and what an earlier one gave.
        """
        if not self.found.is_personal:
            return False
        if change.forgets:
            return is_gone(change.before)
        return self.found.is_before_forgetting(change) and is_gone(change.after)


def is_gone(value: Any) -> bool:
    # Of fields that may be missing nothing is left, not even that they were there.
    return value in (None, "", ()) or is_forgotten(value)


def find_currencies(
    connection: psycopg.Connection[Any], found: Explanation
) -> Mapping[str, str]:
    """Return the currencies of the streams of the changes, by what began them."""
    rows = connection.execute(
        """
        SELECT stream_id, data ->> 'currency' FROM public.events
        WHERE stream_id = ANY (%s) AND version = 1 AND data ->> 'currency' IS NOT NULL
        """,
        ([change.stream_id for change in found.changes],),
    )
    return dict(rows.fetchall())
