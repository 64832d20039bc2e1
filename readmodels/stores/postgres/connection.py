"""The one session by which a second PostgreSQL is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from eventstore.errors.stores import StoreAway
from eventstore.session_errors import UnfitSession
from eventstore.sessions.opening import open_session
from eventstore.sessions.session import Session
from readmodels.stores.postgres.statements import SETUP, STORE

LIMITS = {
    "lock_timeout": "1s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
}
"""A view is replaced after its readers, and others wait behind: a second at most."""
GONE = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.UndefinedColumn,
)
"""What was made is not there any more: somebody emptied the database."""
OF_THE_ROW = (
    psycopg.errors.DataError,
    psycopg.errors.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
)
"""Errors that one row causes, and that come again."""


class StoreConnection:
    """
    A session to the database at *url*, opened when it is needed; *shop* is its owner.

    *name* is the store's. The schema is made by the session that finds none.
    """

    def __init__(self, name: str, url: str, shop: str) -> None:
        self.name = name
        self.target: dict[str, Any] = conninfo_to_dict(
            url.replace("+psycopg", "", 1), application_name=f"recount store {name}"
        )
        self.shop = shop
        self.session: Session | None = None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """
        Lend the session in a transaction; what the server does not do is StoreAway.

        Raises errors of the rows as psycopg does, and UndefinedTable.
        """
        try:
            session = self.open()
            with session.transaction():
                yield session
        except GONE:
            # The next session makes what is missing.
            self.close()
            raise
        except OF_THE_ROW:
            raise
        except psycopg.Error as error:
            # Rights that are missing and views of others among them: all can be mended
            # there, and are noted until then.
            self.close()
            raise StoreAway(self.name, describe(error)) from error

    def open(self) -> Session:
        if self.session is None or self.session.closed:
            session = open_session(LIMITS, **self.target)
            try:
                self.prepare(session)
            except BaseException:
                session.close()
                raise
            self.session = session
        return self.session

    def prepare(self, session: Session) -> None:
        """Make the schema, and take the database for this shop if nobody has it."""
        refuse_shop(session)
        with session.transaction():
            # Two processes may find nothing at the same time.
            session.execute("SELECT pg_advisory_xact_lock(hashtext('recount store'))")
            session.execute(SETUP)
            session.execute(
                f"INSERT INTO {STORE}.shop (identity) VALUES (%s)"
                " ON CONFLICT (only_one) DO NOTHING",
                (self.shop,),
            )
        row = session.execute(f"SELECT identity FROM {STORE}.shop").fetchone()
        if row != (self.shop,):
            raise UnfitSession(
                "the database of READ_DATABASE_URL has the rows of another shop",
                f"name another one, or DROP SCHEMA {STORE}, readmodels CASCADE there",
            )

    def close(self) -> None:
        session, self.session = self.session, None
        if session is not None:
            session.close()


def refuse_shop(session: psycopg.Connection[Any]) -> None:
    """Raise UnfitSession for a database with a log: its views are those of a shop."""
    row = session.execute("SELECT to_regclass('public.events')").fetchone()
    if row != (None,):
        raise UnfitSession(
            "READ_DATABASE_URL names a database that has a log itself",
            "make an empty database for the copies",
        )


def describe(error: psycopg.Error) -> str:
    """Return what went wrong, without the values that some messages repeat."""
    if isinstance(error, UnfitSession):
        return str(error)
    state = f" ({error.sqlstate})" if error.sqlstate else ""
    return f"{type(error).__name__}{state}"
