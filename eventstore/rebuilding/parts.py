"""The parts of a filling: keys by their hash, so that processes share a table."""

from dataclasses import dataclass
from hashlib import sha256

from psycopg import sql

from eventstore.projections.projection import Fact, Key, Projection
from eventstore.projections.table import Table
from eventstore.projections.tables import Tables, name_of

DIGITS = 7
"""Hexadecimal digits of the hash that are looked at: 28 bits, a positive integer."""


class KeyOfAnotherStream(Exception):
    """An event changes rows of other keys than the projection's `streams` declares."""

    def __init__(self, stream_id: str) -> None:
        super().__init__(
            f"{stream_id} changes more than the row that is called after it, which the"
            " read model does not declare: fill it with one process"
        )


def part_of(key: Key, count: int) -> int:
    """Return the number of the part of *count* that the row *key* belongs to."""
    digest = sha256(str(key).encode()).hexdigest()
    return int(digest[:DIGITS], 16) % count


def sql_part_of(text: sql.Composable, count: int) -> sql.Composable:
    """Return the same in SQL, of an expression that is a text."""
    return sql.SQL(
        "mod(('x' || left(encode(sha256(convert_to({}, 'UTF8')), 'hex'), {}))"
        "::bit({})::integer, {})"
    ).format(text, DIGITS, 4 * DIGITS, count)


@dataclass(frozen=True, slots=True)
class Part:
    """One of *count* parts of a generation: the rows whose keys fall to *index*."""

    projection: Projection
    generation: int
    index: int = 0
    count: int = 1

    @property
    def is_whole(self) -> bool:
        return self.count == 1

    @property
    def name(self) -> str:
        """The name of its checkpoint."""
        name = name_of(self.projection.name, self.generation)
        return name if self.is_whole else f"{name}_p{self.index}"

    def tables(self) -> Tables:
        """Return the tables: the rows of all parts, and look-ups of its own."""
        whole = Tables(self.projection, name_of(self.projection.name, self.generation))
        if self.is_whole:
            return whole
        rows = whole.rows
        key = sql.SQL("{}::text").format(sql.Identifier(rows.key))
        only = sql.SQL("{} = {}").format(sql_part_of(key, self.count), self.index)
        tables = Tables(self.projection, self.name)
        tables.rows = Table(rows.name, rows.row, rows.key, rows.indexes, only)
        if self.index == 0:
            # What the others have, too: it becomes the generation's.
            tables.lookups = whole.lookups
        return tables

    def category(self) -> str | None:
        """
        Return the category whose events change the row of their own stream alone.

        Another part need not read them. None if there is no such category.
        """
        category = self.projection.streams.get(self.projection.key)
        columns = [of for of in self.projection.streams.values() if of == category]
        lookups = {lookup.category for lookup in self.projection.lookups}
        is_alone = len(columns) == 1 and lookups.isdisjoint({None, category})
        return category if is_alone else None

    def events(self) -> sql.Composable | None:
        """Return the condition of the events that this part has to read; None: all."""
        category = self.category()
        if self.is_whole or category is None:
            return None
        subject = sql.SQL("substr(stream_id, {})").format(len(category) + 2)
        return sql.SQL("(split_part(stream_id, '-', 1) <> {} OR {} = {})").format(
            category, sql_part_of(subject, self.count), self.index
        )

    def only(self) -> str:
        """Return the same as SQL for `read_all`."""
        events = self.events()
        return "true" if events is None else events.as_string(None).replace("%", "%%")

    def owns(self, fact: Fact, key: Key | None) -> bool:
        """
        Return whether the row *key*, or what an update changes (None), is its own.

        Raises KeyOfAnotherStream where other parts do not read the event.
        """
        if self.is_whole:
            return True
        if fact.stream_id.partition("-")[0] == self.category() and (
            key is None or self.projection.stream_of(key) != fact.stream_id
        ):
            raise KeyOfAnotherStream(fact.stream_id)
        return key is None or part_of(key, self.count) == self.index


def parts_of(projection: Projection, generation: int, count: int) -> list[Part]:
    """Return all parts of a generation that *count* processes fill."""
    return [Part(projection, generation, index, count) for index in range(count)]
