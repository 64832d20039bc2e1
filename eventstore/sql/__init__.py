"""The engine's functions in SQL, one a file, and how they get into a database."""

from importlib.resources import files

import sqlalchemy as sa

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
