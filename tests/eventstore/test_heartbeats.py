"""Heartbeats, and what the relay makes of them: which messages are lost."""

import re
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from eventstore.heartbeats.heartbeats import (
    SILENT_AFTER,
    Beat,
    beat,
    end_beat,
    find_heartbeats,
)
from eventstore.journal.take import find_waiting
from eventstore.sql import source
from tests.support.engine import Add, Engine

WORKER = Beat(process="worker:a:1", role="worker", serves_commands=True)


def waiting(engine: Engine, patience: float = 0.75) -> list[str]:
    found = find_waiting(engine.connection, patience=patience, most=100)
    return [stream_id for stream_id, _ in found]


def accept(engine: Engine, name: str, *, seconds_ago: float) -> UUID:
    command_id = engine.accept(Add(counter_id=name), key=str(uuid4()))
    engine.connection.execute(
        """
        UPDATE commands
        SET accepted_at = clock_timestamp() - make_interval(secs => %s)
        WHERE id = %s
        """,
        (seconds_ago, command_id),
    )
    return command_id


def tell(engine: Engine, **said: Any) -> None:
    """Have the worker say something in three beats: what is passed is told by all."""
    known = {name: getattr(WORKER, name) for name in WORKER.__slots__}
    for is_new in (True, False, False):
        beat(engine.connection, Beat(**{**known, **said}), is_new=is_new)


def test_without_a_worker_everything_is_the_relays(engine: Engine) -> None:
    accept(engine, "old", seconds_ago=1)
    accept(engine, "new", seconds_ago=0)

    assert waiting(engine) == ["counter-old"]


def test_what_queues_in_front_of_a_busy_worker_is_its_own(engine: Engine) -> None:
    accept(engine, "old", seconds_ago=60)
    tell(engine)

    assert waiting(engine) == []


def test_a_worker_that_is_silent_is_none(engine: Engine) -> None:
    accept(engine, "old", seconds_ago=60)
    tell(engine)
    engine.connection.execute(
        "UPDATE heartbeats SET beat_at = clock_timestamp() - interval '4 seconds'"
    )

    assert waiting(engine) == ["counter-old"]


def test_who_serves_other_queues_is_no_worker_for_commands(engine: Engine) -> None:
    accept(engine, "old", seconds_ago=60)
    tell(engine, serves_commands=False)

    assert waiting(engine) == ["counter-old"]


def test_what_waits_beside_an_idle_worker_has_lost_its_message(engine: Engine) -> None:
    accept(engine, "old", seconds_ago=2)
    tell(engine, idle_seconds=0.5)

    assert waiting(engine) == ["counter-old"]


def test_a_worker_that_is_idle_for_a_moment_tells_nothing(engine: Engine) -> None:
    accept(engine, "old", seconds_ago=2)
    tell(engine, idle_seconds=0.1)

    assert waiting(engine) == []


def test_a_worker_that_was_idle_before_it_was_sent_tells_nothing(
    engine: Engine,
) -> None:
    tell(engine, idle_seconds=5)
    accept(engine, "old", seconds_ago=1.9)

    assert waiting(engine) == []


def test_whom_a_later_message_overtook_has_lost_its_own(engine: Engine) -> None:
    accept(engine, "old", seconds_ago=10)
    begun = accept(engine, "begun", seconds_ago=5.5)
    accept(engine, "queued", seconds_ago=5)
    beat(engine.connection, replace(WORKER, received=begun), is_new=True)
    beat(engine.connection, WORKER, is_new=False)
    # It may have come while the one before it is run.
    assert waiting(engine) == []
    beat(engine.connection, WORKER, is_new=False)

    assert waiting(engine) == ["counter-begun", "counter-old"]


def test_an_older_message_takes_nothing_back(engine: Engine) -> None:
    accept(engine, "old", seconds_ago=10)
    tell(engine, received=accept(engine, "begun", seconds_ago=5))
    tell(engine, received=accept(engine, "again", seconds_ago=30))

    assert "counter-old" in waiting(engine)


def test_what_has_a_time_of_its_own_waits_for_no_message(engine: Engine) -> None:
    command_id = accept(engine, "again", seconds_ago=0)
    engine.connection.execute(
        "UPDATE commands SET next_try_at = clock_timestamp() WHERE id = %s",
        (command_id,),
    )
    tell(engine)

    assert waiting(engine) == ["counter-again"]


@pytest.fixture
def beating(engine: Engine) -> psycopg.Connection[Any]:
    web = Beat(process="web:a:2", role="web", detail={"breaker": "open"})
    beat(engine.connection, web, is_new=True)
    tell(engine)
    return engine.connection


@pytest.mark.parametrize("name", ["beat", "lost_before"])
def test_code_and_functions_agree_when_a_process_is_gone(name: str) -> None:
    stated = re.findall(r"interval '(\d+) seconds'", source(name))

    assert stated == [f"{SILENT_AFTER:.0f}"]


def test_all_processes_are_seen(beating: psycopg.Connection[Any]) -> None:
    seen = find_heartbeats(beating)

    assert [(h.process, h.is_alive) for h in seen] == [
        ("web:a:2", True),
        ("worker:a:1", True),
    ]
    assert seen[0].detail == {"breaker": "open"}


def test_who_ends_in_good_order_is_not_missed(beating: psycopg.Connection[Any]) -> None:
    end_beat(beating, "web:a:2")

    assert [h.process for h in find_heartbeats(beating)] == ["worker:a:1"]


def test_who_was_killed_is_missed_for_an_hour(
    beating: psycopg.Connection[Any], engine: Engine
) -> None:
    ages = "CASE role WHEN 'web' THEN interval '59 minutes' ELSE interval '2 hours' END"
    beating.execute(f"UPDATE heartbeats SET beat_at = clock_timestamp() - {ages}")
    beat(beating, Beat(process="beat:a:3", role="beat"), is_new=True)

    assert [(h.process, h.is_alive) for h in find_heartbeats(beating)] == [
        ("beat:a:3", True),
        ("web:a:2", False),
    ]
