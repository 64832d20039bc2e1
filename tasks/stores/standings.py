"""Whether the read databases answer, and how old what they have is."""

from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import sqlalchemy as sa

from eventstore.session_errors import UnfitSession
from tasks.stores.read_databases import ReadDatabases

OK, AWAY, UNFIT = "ok", "away", "unfit"


class StoreStanding(NamedTuple):
    """
    A store's *name*, and its *state*: ok, away, or unfit to answer.

    *seconds_old* is the age of what it has heard last, None if it is not known.
    *what* is wrong is told to operators alone.
    """

    name: str
    state: str
    seconds_old: float | None = None
    what: str = ""


def find_store_standings(reads: ReadDatabases) -> Iterator[StoreStanding]:
    """Yield how each store stands; those that are away cost 0.2 seconds at most."""
    for store in reads.stores:
        try:
            with store.lend() as connection:
                state = store.look(connection, [], 0, 0, reads.find_identity())
        except (sa.exc.SQLAlchemyError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
            is_unfit = isinstance(cause, UnfitSession)
            yield StoreStanding(
                store.name, UNFIT if is_unfit else AWAY, what=str(cause)
            )
        else:
            yield StoreStanding(store.name, OK, state.seconds_old)
