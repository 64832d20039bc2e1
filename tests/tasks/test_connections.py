"""What the sessions of a process are told when they are opened."""

import pytest
import sqlalchemy as sa

from tasks.connections import pool_of


@pytest.mark.parametrize(
    ("role", "lock", "idle", "statement"),
    [
        ("web", "3s", "5s", "10s"),
        ("worker", "3s", "5s", "20s"),
        ("relay", "3s", "5s", "20s"),
    ],
)
def test_a_session_of_a_process_keeps_nobody_waiting_for_long(
    database: str, role: str, lock: str, idle: str, statement: str
) -> None:
    pool = pool_of(database, role)
    with pool.connect() as connection:
        told = {
            name: connection.scalar(sa.text(f"SHOW {name}"))
            for name in (
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "statement_timeout",
            )
        }
    pool.dispose()

    assert list(told.values()) == [lock, idle, statement]


def test_an_operators_statement_takes_what_it_takes(database: str) -> None:
    pool = pool_of(database, "operator")
    with pool.connect() as connection:
        assert connection.scalar(sa.text("SHOW statement_timeout")) == "0"
    pool.dispose()
