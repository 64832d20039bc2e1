"""
Comparing a copy with PostgreSQL while both are written.

A row that PostgreSQL changed behind the copy's checkpoint may be missing or older in
it; all others must be equal, and the copy may have no more. A cache may lack any row:
what it has is compared.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import psycopg

from eventstore.projections.changed_rows import (
    ReadRow,
    count_keys,
    read_rows,
    sample_keys,
)
from eventstore.projections.projection import Key, Projection
from eventstore.stores.row_store import Checkpoint, Copy, RowStore, StoredRow

ROWS_AT_ONCE = 500
MAX_LOOKS = 5
"""How often a row is read again that changed between the two reads."""
MAX_SAMPLE = 2_000


class Comparison(NamedTuple):
    """How many rows were compared, and in words what differs."""

    rows: int
    differences: Sequence[str]


def compare(
    connection: psycopg.Connection[Any],
    store: RowStore,
    projection: Projection,
    copy: Copy,
    *,
    refused: Collection[str] = (),
    is_full: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """
    Return what differs between a copy and PostgreSQL: counts, and rows.

    A sample of the rows is compared, or all of them. *refused* are the texts of keys
    whose rows the copy could not take. *progress* is called with the number of rows
    compared so far. Raises StoreAway, and psycopg's errors.
    """
    rows = 0
    differences: list[str] = []
    if not store.may_lack_rows:
        differences += compare_counts(connection, store, projection, copy)
    seen: set[Key] = set()
    for keys in choose_keys(connection, store, projection, copy, is_full=is_full):
        differences += compare_keys(connection, store, projection, copy, keys, refused)
        rows += len(keys)
        seen.update(keys if is_full else ())
        progress(rows)
    if is_full and not store.may_lack_rows:
        # Those that the copy lacks.
        count = count_keys(connection, projection, copy.generation)
        for keys in batched(
            sample_keys(connection, projection, copy.generation, most=count)
        ):
            lacking = [key for key in keys if key not in seen]
            differences += compare_keys(
                connection, store, projection, copy, lacking, refused
            )
            rows += len(lacking)
            progress(rows)
    return Comparison(rows, differences)


def choose_keys(
    connection: psycopg.Connection[Any],
    store: RowStore,
    projection: Projection,
    copy: Copy,
    *,
    is_full: bool,
) -> Iterable[Sequence[Key]]:
    """Return all keys that the copy has, or a sample of those that it should have."""
    if is_full:
        return walk(store, copy)
    if store.may_lack_rows:
        # Of a cache with few of the rows a sample of the table finds none.
        return islice(walk(store, copy), MAX_SAMPLE // ROWS_AT_ONCE)
    return batched(
        sample_keys(connection, projection, copy.generation, most=MAX_SAMPLE)
    )


def compare_counts(
    connection: psycopg.Connection[Any],
    store: RowStore,
    projection: Projection,
    copy: Copy,
) -> Iterator[str]:
    """Yield what is wrong with the number of keys that the copy has."""
    reached = store.load_checkpoint(copy) or Checkpoint()
    least = count_keys(connection, projection, copy.generation, up_to=reached.place)
    found = store.count(copy)
    most = count_keys(connection, projection, copy.generation)
    if not least <= found <= most:
        yield f"{copy.read_model}: {found} keys, and PostgreSQL has {least} to {most}"


def compare_keys(
    connection: psycopg.Connection[Any],
    store: RowStore,
    projection: Projection,
    copy: Copy,
    keys: Sequence[Key],
    refused: Collection[str],
) -> Iterator[str]:
    """Yield in words what differs in the rows with these keys."""
    found = find_differing(connection, store, projection, copy, keys, refused)
    for key, what in found:
        yield f"{copy.read_model} {key}: {what}"


def find_differing(
    connection: psycopg.Connection[Any],
    store: RowStore,
    projection: Projection,
    copy: Copy,
    keys: Sequence[Key],
    refused: Collection[str],
) -> Iterator[tuple[Key, str]]:
    """
    Yield the keys of those rows that differ, each with what differs, in words.

    Raises StoreAway, and ChangesBegunAgain if the generation is not followed any more.
    """
    for _ in range(MAX_LOOKS):
        if not keys:
            return
        reached = store.load_checkpoint(copy) or Checkpoint()
        wanted = {
            row.change.key: row
            for row in read_rows(
                connection, projection, copy.generation, keys, up_to=reached.place
            )
        }
        found = store.read(copy, keys)
        again = []
        for key in keys:
            if str(key) in refused:
                continue
            row, stored = wanted.get(key), found.get(key)
            if row and stored and stored.change > row.change.change:
                # Changed after it was read here.
                again.append(key)
            elif stored is None and store.may_lack_rows:
                continue
            elif what := difference(row, stored):
                yield key, what
        keys = again
    for key in keys:
        yield key, "newer than in PostgreSQL"


def difference(row: ReadRow | None, stored: StoredRow | None) -> str | None:
    """Return in words how a stored row differs from what it must be, or None."""
    if row is None:
        return None if stored is None else "not in PostgreSQL"
    if stored is None:
        return "missing" if row.is_reached else None
    if stored.change < row.change.change:
        return "older than in PostgreSQL" if row.is_reached else None
    if stored.row != row.change.row:
        return f"other values with the same change {stored.change}"
    return None


def walk(store: RowStore, copy: Copy) -> Iterator[Sequence[Key]]:
    """Yield all keys that the copy has."""
    last: Key | None = None
    while keys := store.keys_behind(copy, last, ROWS_AT_ONCE):
        yield keys
        last = keys[-1]


def batched(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    for start in range(0, len(keys), ROWS_AT_ONCE):
        yield keys[start : start + ROWS_AT_ONCE]
