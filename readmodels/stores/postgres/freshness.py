"""How new the copies are that a second PostgreSQL shows."""

from collections.abc import Collection
from typing import Any, NamedTuple

import psycopg

from readmodels.stores.postgres.statements import STORE


class ServingCopy(NamedTuple):
    """
    The copy of a read model that its view shows.

    *shape* is the form of its rows. It has read the log up to *position*, had all
    changes at *certified_at*, in seconds since 1970, None if never, and *parked*
    streams of the read model were parked then; one more if it stood still.
    """

    shape: str
    position: int
    certified_at: float | None
    parked: int


def find_serving(
    connection: psycopg.Connection[Any], read_models: Collection[str] | None
) -> dict[str, ServingCopy]:
    """Return the copies that serve, by read model, of some or of all that there are."""
    rows = connection.execute(
        f"""
        SELECT s.read_model, c.shape, c.position, c.certified_at, c.parked
        FROM {STORE}.shelves AS s JOIN {STORE}.copies AS c ON c.name = s.serving
        WHERE %(names)s::text[] IS NULL OR s.read_model = ANY (%(names)s)
        """,
        {"names": None if read_models is None else list(read_models)},
    )
    return {name: ServingCopy(*copy) for name, *copy in rows}


def find_owner(connection: psycopg.Connection[Any]) -> tuple[str, float] | None:
    """Return the identity of the shop whose rows these are, and the time there."""
    row = connection.execute(
        f"""
        SELECT identity, extract(epoch FROM clock_timestamp())::double precision
        FROM {STORE}.shop
        """
    ).fetchone()
    return None if row is None else (row[0], row[1])
