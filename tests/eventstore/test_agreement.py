"""Log, journal and snapshots agree, or it is told where they do not."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from eventstore.log.append import append
from eventstore.verifying import journal, snapshots, streams
from eventstore.verifying.finding import Check, Finding
from eventstore.verifying.journal import journal_checks
from eventstore.verifying.snapshots import snapshots_check
from eventstore.verifying.streams import streams_check
from tests.support.engine import COUNTERS, Add, AddIfZero, Divide, Engine, added
from tests.support.snapshots import keep_snapshot
from tests.support.tampering import tampering

CLOCK = "counter-clock"


@pytest.fixture
def shop(engine: Engine) -> Engine:
    """Commands of each fate: done, answered by nothing, rejected, failed, waiting."""
    commands = [
        Add(counter_id="clock", amount=5),
        Add(counter_id="clock", amount=0),
        Add(counter_id="lamp", amount=0),
        Add(counter_id="clock", amount=7),
        Add(counter_id="clock", amount=2_000),
        AddIfZero(counter_id="lamp", other="clock"),
        AddIfZero(counter_id="lamp", other="radio"),
        Divide(counter_id="clock"),
    ]
    for command in commands:
        engine.drain(engine.accept(command))
    for amount in (1, 2, 3):
        engine.accept(Add(counter_id="radio", amount=amount))
    engine.drain(engine.accept(Add(counter_id="radio", amount=4)))
    engine.append("counter-direct", 1, 2, expected=0)
    engine.accept(Add(counter_id="waiting"))
    return engine


def run(connection: psycopg.Connection[Any], *checks: Check) -> list[Finding]:
    return [
        finding
        for check in checks
        for finding in check.find(connection, lambda _: None)
    ]


def agreement(connection: psycopg.Connection[Any]) -> list[Finding]:
    return run(connection, streams_check(), *journal_checks(is_journaled=True))


def whats(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.check, finding.what) for finding in findings]


def test_what_the_engine_wrote_agrees(shop: Engine) -> None:
    assert agreement(shop.connection) == []


def test_pages_of_any_size_find_the_same(
    shop: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (1, 2, 3):
        monkeypatch.setattr(streams, "PAGE", size)
        monkeypatch.setattr(journal, "PAGE", size)

        assert agreement(shop.connection) == []
        with tampering(shop.connection):
            shop.connection.execute(
                "DELETE FROM events WHERE stream_id = 'counter-direct' AND version = 1"
            )
            assert whats(agreement(shop.connection)) == [
                ("streams", "the versions before it are missing")
            ]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_hole_in_the_versions_of_a_stream_is_found(
    version: int, engine: Engine
) -> None:
    engine.append(CLOCK, 1, 2, 3, 4, expected=0)
    engine.append("counter-lamp", 1, expected=0)
    with tampering(engine.connection):
        engine.connection.execute("DELETE FROM events WHERE version = %s", (version,))
        found = run(engine.connection, streams_check())

    assert [(f.stream_id, f.version, f.detail) for f in found] == [
        (CLOCK, version + 1, f"from {version} to {version}")
    ]


def test_an_event_that_stands_before_its_forerunner_is_found(engine: Engine) -> None:
    engine.append(CLOCK, 1, 2, 3, expected=0)
    with tampering(engine.connection):
        engine.connection.execute("UPDATE events SET id = 100 WHERE version = 2")
        found = run(engine.connection, streams_check())

    assert [(f.position, f.version) for f in found] == [(3, 3)]


# What somebody did by hand, and what it is called; %(command)s is one that succeeded.
LIES = {
    "UPDATE commands SET status = 'rejected' WHERE id = %(command)s": [
        ("events' commands", "its command is rejected")
    ],
    "DELETE FROM commands WHERE id = %(command)s": [
        ("events' commands", "its command is not in the journal")
    ],
    "UPDATE commands SET position = NULL WHERE id = %(command)s": [
        ("events' commands", "its command's position is before it")
    ],
    "UPDATE commands SET position = 1 WHERE id = %(command)s": [
        ("events' commands", "its command's position is before it"),
        ("commands' events", "its position is that of another stream"),
    ],
    "UPDATE commands SET position = 1 + (SELECT max(id) FROM events"
    " WHERE stream_id = 'counter-radio') WHERE id = %(command)s": [
        ("events' commands", "its command's position is that of another one"),
        ("commands' events", "its position is that of another stream"),
    ],
    "UPDATE commands SET position = 1000000 WHERE id = %(command)s": [
        ("events' commands", "its command's position has no event"),
        ("commands' events", "its position has no event"),
    ],
    "DELETE FROM events WHERE metadata ->> 'command_id' = %(command)s::text": [
        ("commands' events", "its position has no event")
    ],
    'UPDATE events SET metadata = metadata || \'{"command_id": "garbage"}\''
    " WHERE metadata ->> 'command_id' = %(command)s::text": [
        ("events' commands", "its command is not in the journal")
    ],
}


@pytest.mark.parametrize("lie", LIES)
def test_where_journal_and_log_disagree_is_found(lie: str, shop: Engine) -> None:
    command_id = shop.accept(Add(counter_id="radio", amount=5))
    shop.drain(command_id)
    shop.append("counter-last", 1, expected=0)
    with tampering(shop.connection):
        shop.connection.execute(lie, {"command": command_id})
        found = run(shop.connection, *journal_checks(is_journaled=True))

    assert whats(found) == LIES[lie]
    assert {finding.command_id for finding in found} <= {str(command_id), "garbage"}


def test_an_import_has_no_commands_in_the_journal(engine: Engine) -> None:
    engine.append(CLOCK, 1, expected=0)
    with tampering(engine.connection):
        engine.connection.execute(
            "UPDATE events SET metadata = metadata"
            " || jsonb_build_object('source', 'northwind', 'command_id', %s::text)",
            (str(uuid4()),),
        )
        assert run(engine.connection, *journal_checks(is_journaled=True)) == []


@pytest.fixture
def kept(engine: Engine) -> Engine:
    """Two counters, each with a snapshot that is right."""
    for stream_id in (CLOCK, "counter-lamp"):
        engine.append(stream_id, *range(1, 8), expected=0)
        keep_snapshot(engine.connection, COUNTERS, stream_id, 5)
    return engine


@pytest.mark.parametrize("is_all", [True, False])
def test_snapshots_that_are_what_a_replay_gives_are_right(
    is_all: bool, kept: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "PAGE", 2)
    check = snapshots_check(COUNTERS, is_all=is_all)

    assert run(kept.connection, check) == []
    assert check.length(kept.connection) == 2


def test_a_snapshot_of_other_events_than_there_are_is_found(kept: Engine) -> None:
    check = snapshots_check(COUNTERS, is_all=True)
    with tampering(kept.connection):
        kept.connection.execute(
            "UPDATE events SET data = '{\"amount\": 100}' WHERE id = 2"
        )
        found = run(kept.connection, check)

    assert [(f.stream_id, f.version, f.what) for f in found] == [
        (CLOCK, 5, "it is not what a replay gives")
    ]


WRONG_SNAPSHOTS = {
    "UPDATE snapshots SET state = '{\"total\": 9}'": "it is not what was written",
    "UPDATE snapshots SET event_id = 'x'": "its stream has not the event that it"
    " ends with",
    "UPDATE events SET data = '[]' WHERE version = 2": "its stream cannot be replayed",
}


@pytest.mark.parametrize("lie", WRONG_SNAPSHOTS)
def test_a_snapshot_that_is_wrong_is_named(lie: str, kept: Engine) -> None:
    with tampering(kept.connection):
        kept.connection.execute(lie)
        found = run(kept.connection, snapshots_check(COUNTERS, is_all=True))

    assert {finding.what for finding in found} == {WRONG_SNAPSHOTS[lie]}
    assert {finding.stream_id for finding in found} == {CLOCK, "counter-lamp"}


def test_a_snapshot_of_another_version_of_the_code_is_left_alone(
    kept: Engine,
) -> None:
    with tampering(kept.connection):
        kept.connection.execute("UPDATE snapshots SET fingerprint = 'x', state = '{}'")
        kept.connection.execute(
            "UPDATE snapshots SET stream_id = 'unknown-1' WHERE stream_id = %s",
            (CLOCK,),
        )
        found = run(kept.connection, snapshots_check(COUNTERS, is_all=True))

    assert found == []


def test_of_many_snapshots_some_are_chosen_by_chance(
    kept: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "SAMPLE", 1)
    check = snapshots_check(COUNTERS, is_all=False)
    with tampering(kept.connection):
        kept.connection.execute("UPDATE snapshots SET state = '{}'")
        found = run(kept.connection, check)

    assert len(found) == check.length(kept.connection) == 1


def test_who_writes_meanwhile_is_no_fault(shop: Engine) -> None:
    writer = shop.connect(autocommit=False)
    events = [(CLOCK, added(1))]
    writer.execute("SELECT 1")
    version = len(shop.stream(CLOCK))
    append(writer, events, expected={CLOCK: version})

    assert agreement(shop.connection) == []
    writer.commit()
    assert agreement(shop.connection) == []
