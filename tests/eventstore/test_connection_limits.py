"""Limits of connections below what the processes may open are told of by name."""

from typing import Any

import psycopg
import pytest

from eventstore.database.connection_limits import (
    check_all_connections,
    check_own_connections,
)
from tests.support.databases import as_role, login_of
from tests.support.engine import Engine, connect

NEEDS = {"web": 21, "worker": 8, "relay": 3}


def all_told(connection: psycopg.Connection[Any], **needs: int) -> list[str]:
    return [a.what for a in check_all_connections(connection, needs or NEEDS)]


def test_a_server_with_room_for_all_is_no_finding(engine: Engine) -> None:
    assert all_told(engine.connection) == []


@pytest.mark.parametrize("limit", [20, 0])
def test_a_login_with_a_limit_below_its_pool_is_told(
    engine: Engine, limit: int
) -> None:
    login = login_of("web")
    with engine.connection.transaction(force_rollback=True):
        engine.connection.execute(f"ALTER ROLE {login} CONNECTION LIMIT {limit}")
        (ailment,) = check_all_connections(engine.connection, NEEDS)

    assert ailment.what == (
        f"{login} may open {limit} connections, and web may open 21: the rest are"
        " refused"
    )
    assert ailment.remedy.startswith(f"ALTER ROLE {login} CONNECTION LIMIT 21")
    assert not ailment.is_fatal


def test_a_limit_that_is_enough_is_no_finding(engine: Engine) -> None:
    with engine.connection.transaction(force_rollback=True):
        engine.connection.execute(f"ALTER ROLE {login_of('web')} CONNECTION LIMIT 21")

        assert all_told(engine.connection) == []


def test_a_database_with_a_limit_below_all_of_them_is_told(engine: Engine) -> None:
    with engine.connection.transaction(force_rollback=True):
        ((name,),) = engine.connection.execute("SELECT current_database()").fetchall()
        engine.connection.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 31")
        (ailment,) = check_all_connections(engine.connection, NEEDS)

    assert ailment.what == (
        f"the database {name} takes 31 connections, and all processes may open 32"
    )


def test_a_server_that_takes_too_few_is_told(engine: Engine) -> None:
    (what,) = all_told(engine.connection, web=100_000)

    assert "all processes may open 100000" in what


def test_a_process_asks_for_itself_as_it_begins(engine: Engine, database: str) -> None:
    login = login_of("relay")
    engine.connection.execute(f"ALTER ROLE {login} CONNECTION LIMIT 2")
    try:
        relay = connect(as_role(database, "relay"))
        try:
            (ailment,) = check_own_connections(relay, 3)
            enough = list(check_own_connections(relay, 2))
        finally:
            relay.close()
    finally:
        engine.connection.execute(f"ALTER ROLE {login} CONNECTION LIMIT -1")

    assert f"{login} may open 2 connections, and this process may open 3" in (
        ailment.what
    )
    assert enough == []
