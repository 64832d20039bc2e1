"""The sessions of a process have the limits of its role."""

import pytest
import sqlalchemy as sa

from tasks.shop.connections import pool_of

LIMITS = {
    "web": ("3s", "5s", "10s"),
    "worker": ("3s", "5s", "20s"),
    "relay": ("3s", "5s", "20s"),
}


def limits(url: str, role: str) -> tuple[str, ...]:
    engine = pool_of(url, role)
    with engine.connect() as connection:
        found = [
            str(connection.scalar(sa.text(f"SHOW {setting}")))
            for setting in (
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "statement_timeout",
            )
        ]
    engine.dispose()
    return tuple(found)


@pytest.mark.parametrize("role", LIMITS)
def test_nobody_keeps_others_waiting_for_long(database: str, role: str) -> None:
    assert limits(database, role) == LIMITS[role]


def test_the_url_s_own_limits_are_those_that_hold(database: str) -> None:
    url = sa.make_url(database).update_query_dict(
        {"options": "-c statement_timeout=60s"}
    )

    assert limits(url.render_as_string(hide_password=False), "web") == (
        "3s",
        "5s",
        "1min",
    )


def test_an_operators_statement_takes_what_it_takes(database: str) -> None:
    assert limits(database, "operator")[2] == "0"
