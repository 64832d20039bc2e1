"""The past is not changed, whoever asks."""

from typing import Any

import psycopg
import pytest

from tests.support.engine import Engine

CHANGES = [
    "UPDATE events SET data = '{}'",
    "UPDATE events SET id = DEFAULT WHERE false",
    "DELETE FROM events",
    "TRUNCATE events",
]


@pytest.fixture
def history(engine: Engine) -> psycopg.Connection[Any]:
    """A connection to a log in which something has happened."""
    engine.append("counter-clock", 1, 2, expected=0)
    return engine.connection


@pytest.mark.parametrize("change", CHANGES)
def test_the_log_refuses_a_change(
    change: str, history: psycopg.Connection[Any]
) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        history.execute(change)


@pytest.mark.parametrize("change", CHANGES)
def test_a_session_that_plays_replica_is_refused_too(
    change: str, history: psycopg.Connection[Any]
) -> None:
    history.execute("SET session_replication_role = replica")

    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        history.execute(change)


def test_the_refusal_has_the_name_of_its_rule(
    history: psycopg.Connection[Any],
) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation) as refusal:
        history.execute("DELETE FROM events")

    assert refusal.value.diag.constraint_name == "events_append_only"


def test_nobody_chooses_the_position_of_an_event(
    connection: psycopg.Connection[Any],
) -> None:
    with pytest.raises(psycopg.errors.GeneratedAlways):
        connection.execute(
            """
            INSERT INTO events
                (id, stream_id, type, version, data, metadata, occurred_at)
            VALUES (7, 'counter-clock', 'Added', 1, '{}', '{}', now())
            """
        )


def test_versions_count_from_one(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="events_version_check"):
        connection.execute(
            """
            INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
            VALUES ('counter-clock', 'Added', 0, '{}', '{}', now())
            """
        )
