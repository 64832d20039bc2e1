"""Rows with their last changes, by key: for comparing copies of a read model."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from eventstore.errors.following import ChangesBegunAgain
from eventstore.projections.changes import RowChange, page_of
from eventstore.projections.projection import Key, Projection


class ReadRow(NamedTuple):
    """The last change of a row, and whether it is at a place or before it."""

    change: RowChange
    is_reached: bool


def read_rows(
    connection: psycopg.Connection[Any],
    projection: Projection,
    generation: int,
    keys: Sequence[Key],
    *,
    up_to: tuple[int, Key | None],
) -> list[ReadRow]:
    """
    Return the last change of each of the rows with *keys* in a generation.

    *up_to* is a place in the changes: the number of one, and a key. Keys that never had
    a row are left out. Raises ChangesBegunAgain if the generation is not followed any
    more.
    """
    changes = page_of(projection, generation)
    try:
        found = connection.execute(changes.of_keys, (*up_to, list(keys))).fetchall()
    except psycopg.errors.UndefinedTable as error:
        raise ChangesBegunAgain(projection.name, "", generation) from error
    return [ReadRow(changes.read(row), bool(is_reached)) for is_reached, *row in found]


def count_keys(
    connection: psycopg.Connection[Any],
    projection: Projection,
    generation: int,
    *,
    up_to: tuple[int, Key | None] | None = None,
) -> int:
    """
    Return how many keys a generation's changes have, deleted ones too.

    *up_to* counts those whose last change is at this place or before it: the number of
    a change, and a key. Raises ChangesBegunAgain.
    """
    changes = page_of(projection, generation)
    place = (None, None) if up_to is None or up_to[1] is None else up_to
    try:
        row = connection.execute(changes.count, place).fetchone()
    except psycopg.errors.UndefinedTable as error:
        raise ChangesBegunAgain(projection.name, "", generation) from error
    assert row is not None
    everything, before = row
    return int(everything if up_to is None else before)


def sample_keys(
    connection: psycopg.Connection[Any],
    projection: Projection,
    generation: int,
    *,
    most: int,
) -> list[Key]:
    """
    Return at most *most* keys of a generation, chosen at random.

    Deleted ones are among them. Raises ChangesBegunAgain.
    """
    total = count_keys(connection, projection, generation)
    # Some more than are wanted, since their number varies.
    percent = min(100.0, 100.0 * (1.2 * most + 20) / max(total, 1))
    sample = page_of(projection, generation).sample
    try:
        rows = connection.execute(sample, (percent, most)).fetchall()
    except psycopg.errors.UndefinedTable as error:
        raise ChangesBegunAgain(projection.name, "", generation) from error
    return [key for (key,) in rows]
