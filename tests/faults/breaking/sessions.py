"""Sessions that read and cannot write, lose their answers, or are set otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import psycopg
import sqlalchemy as sa

from embedded.logins import login_of
from embedded.postgres import DATABASE
from eventstore.connection import driver_connection
from tests.faults.breaking.databases import ROLES, end_sessions, sessions_of
from tests.faults.breaking.victims import wait_a_little
from tests.faults.desk import Desk
from tests.faults.kind import BLOW, MISSED, Kind, Seconds

SILENT: Seconds = (1.0, 6.0)
SET: Seconds = (0.5, 3.0)

SETTINGS = {
    "array_nulls": "off",
    "bytea_output": "escape",
    "client_encoding": "LATIN1",
    "datestyle": "German",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "quote_all_identifiers": "on",
    "search_path": "nowhere",
    "standard_conforming_strings": "off",
    "synchronous_commit": "off",
    "transform_null_equals": "on",
}
"""What an operator may set for a login, and nothing that the shop does may rest on."""


@contextmanager
def let_read_alone(desk: Desk, chance: Random) -> Iterator[str]:
    """All sessions that there are read and cannot write, as after a failover."""
    found: list[int] = []

    def somebody_is_there() -> bool:
        found[:] = desk.proxy.let_read_alone()
        return bool(found)

    wait_a_little(somebody_is_there)
    yield f"{len(found)} sessions read alone" if found else f"{MISSED}: no sessions"


@contextmanager
def hold_answers(desk: Desk, chance: Random) -> Iterator[str]:
    """What PostgreSQL answers in the sessions that there are does not come."""
    wait_a_little(lambda: sessions_of(desk, "web|worker|relay"))
    with desk.proxy.holding_answers() as held:
        yield (
            f"no answers in {len(held)} sessions" if held else f"{MISSED}: no sessions"
        )


@contextmanager
def set_otherwise(desk: Desk, chance: Random) -> Iterator[str]:
    """Set something else for the logins of the shop, which have to connect again."""
    setting = chance.choice(sorted(SETTINGS))
    value = SETTINGS[setting]
    try:
        alter(desk, f"SET {setting} = '{value}'")
        ended = end_sessions(desk, sessions_of(desk, "web|worker|relay"))
        yield f"{setting} = {value}, {ended} sessions ended"
    except (sa.exc.OperationalError, psycopg.OperationalError):
        yield f"{MISSED}: PostgreSQL is away"
    finally:
        desk.mend_settings()


def alter(desk: Desk, change: str) -> None:
    with desk.engine().connect() as connection:
        for role in ROLES:
            driver_connection(connection).execute(
                f"ALTER ROLE {login_of(role)} IN DATABASE {DATABASE} {change}".encode()
            )


KINDS = (
    Kind("read-only sessions", BLOW, let_read_alone),
    Kind("late answers", SILENT, hold_answers),
    Kind("other settings", SET, set_otherwise),
)
