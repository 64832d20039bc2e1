"""Rotate the master key: wrap the keys of a former one again, in batches."""

from collections.abc import Iterator
from typing import Any

import psycopg

from eventstore.encryption.keys import MasterKeys, WrappedKey, name_of

BATCH = 1_000


def count_former(connection: psycopg.Connection[Any], masters: MasterKeys) -> int:
    """Return how many keys are not wrapped with the master key in force."""
    row = connection.execute(
        "SELECT public.count_former_keys(%s)",
        (name_of(masters.current),),
    ).fetchone()
    assert row is not None
    return int(row[0])


def rotate(connection: psycopg.Connection[Any], masters: MasterKeys) -> Iterator[int]:
    """
    Wrap every key with the master key in force; yield the number of each batch.

    *connection* is in autocommit: each batch is a transaction, and a killed run can be
    repeated. The keys themselves do not change, so no data are encrypted again. Raises
    WrongMasterKey for a key that none of *masters* unwraps.
    """
    while True:
        with connection.transaction():
            rows = connection.execute(
                "SELECT id, master, wrapped FROM public.former_keys(%s, %s)",
                (name_of(masters.current), BATCH),
            ).fetchall()
            stored = [WrappedKey(id=r[0], master=r[1], wrapped=r[2]) for r in rows]
            again = [masters.wrap(masters.unwrap(key)) for key in stored]
            connection.execute(
                "SELECT public.rewrap_keys(%s::uuid[], %s::text[], %s::bytea[])",
                (
                    [key.id for key in again],
                    [key.master for key in again],
                    [key.wrapped for key in again],
                ),
            )
        if not rows:
            return
        yield len(rows)
