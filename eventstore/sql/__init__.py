"""The engine's functions in SQL, one a file, and how they get into a database."""

from importlib.resources import files

import sqlalchemy as sa

import eventstore.journal.schema
import eventstore.log.schema
import eventstore.personal.schema
import eventstore.projections.schema
import eventstore.subscriptions.schema  # noqa: F401 - the tables register themselves
from eventstore.tables import metadata

# In the order in which they name each other.
FUNCTIONS = (
    "lock_key",
    "last_drawn",
    "hold_fence",
    "settled",
    "fence_holders",
    "refuse_change",
    "keep_keys",
    "destroy_keys",
    "find_keys",
    "command_key",
    "claim",
    "claimed",
    "append",
    "accept",
    "next_due",
    "why_refused",
    "load",
    "take",
    "give_back",
    "forget_marks",
    "release",
    "waiting",
    "raise_signal",
    "finish",
    "imprint",
    "seal_hash",
    "begin_seals",
    "seal",
    "keep_seals",
)


def install(connection: sa.Connection) -> None:
    """Make the engine's tables and functions, for those who do not use migrations."""
    connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS vault")
    metadata.create_all(connection)
    create_functions(connection)


def create_functions(connection: sa.Connection, *names: str) -> None:
    """Create or replace the functions called *names*, or all of them."""
    for name in names or FUNCTIONS:
        # Without parameters, else a % of PL/pgSQL is taken for a placeholder.
        connection.exec_driver_sql(
            source(name), execution_options={"no_parameters": True}
        )


def source(name: str) -> str:
    """Return the SQL of the function called *name*."""
    return files(__package__).joinpath(f"{name}.sql").read_text("utf-8")
