"""Draining a stream, and what waits right behind its command, by one append."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from eventstore.journal.drain import drain as drain_journal
from eventstore.journal.finishing import DrainResult
from eventstore.journal.runner import FinishedCommand, Limits, Runner
from eventstore.journal.take import take_ahead
from tests.support.engine import COUNTERS, FULL, Add, Divide, Engine

STREAMS = [f"c{number}" for number in range(5)]
SUCCEEDED, ACCEPTED = "succeeded", "accepted"


def drain(
    engine: Engine,
    command_id: UUID,
    *,
    ahead: int = 10,
    limits: Limits | None = None,
    reported: list[FinishedCommand] | None = None,
) -> DrainResult:
    runner = Runner(
        deciders=COUNTERS,
        name="worker",
        limits=limits or Limits(),
        report=(reported if reported is not None else []).append,
    )
    done = drain_journal(engine.connection, [command_id], runner, ahead=ahead)
    ((held,),) = engine.connection.execute(
        "SELECT count(*) FROM pg_locks"
        " WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    ).fetchall()
    assert held == 0
    return done


def accept_one_each(engine: Engine) -> list[UUID]:
    return [engine.accept(Add(counter_id=name)) for name in STREAMS]


def test_the_next_in_the_journal_go_along_by_the_same_append(engine: Engine) -> None:
    commands = accept_one_each(engine)
    done = drain(engine, commands[1], ahead=2)

    assert (done.finished, done.left) == (3, [])
    assert engine.statuses(*commands) == [ACCEPTED, *[SUCCEEDED] * 3, ACCEPTED]
    ((transactions,),) = engine.connection.execute(
        "SELECT count(DISTINCT xmin::text) FROM events"
    ).fetchall()
    assert transactions == 1


def test_in_their_streams_what_was_accepted_first_comes_first(engine: Engine) -> None:
    early = engine.accept(Add(counter_id="c1", amount=5))
    first = engine.accept(Add(counter_id="c0"))
    engine.accept(Add(counter_id="c1", amount=6))
    drain(engine, first)

    assert engine.amounts("counter-c1") == [5, 6]
    assert engine.statuses(early) == [SUCCEEDED]


def test_what_is_behind_it_in_its_own_stream_is_taken_once(engine: Engine) -> None:
    commands = [engine.accept(Add(counter_id=name)) for name in ("c0", "c0", "c1")]
    drain(engine, commands[0])

    assert engine.statuses(*commands) == [SUCCEEDED] * 3


def test_who_finds_its_stream_taken_begins_behind_what_others_have(
    engine: Engine,
) -> None:
    commands = accept_one_each(engine)
    for command_id in commands[:3]:
        engine.take(command_id, engine.connect())
    drain(engine, commands[0], ahead=1)

    assert engine.statuses(*commands) == [*[ACCEPTED] * 3, SUCCEEDED, ACCEPTED]


def test_for_a_command_that_nobody_knows_nothing_is_taken(engine: Engine) -> None:
    commands = accept_one_each(engine)
    drain(engine, UUID(int=0))

    assert engine.statuses(*commands) == [ACCEPTED] * 5


def test_who_comes_for_a_finished_one_takes_nobody_along(engine: Engine) -> None:
    commands = accept_one_each(engine)
    drain(engine, commands[0], ahead=1)
    drain(engine, commands[1])

    assert engine.statuses(*commands) == [*[SUCCEEDED] * 2, *[ACCEPTED] * 3]


def test_a_neighbour_that_somebody_holds_is_left_to_them(engine: Engine) -> None:
    commands = accept_one_each(engine)
    engine.take(commands[1], engine.connect())
    drain(engine, commands[0], ahead=2)

    assert engine.statuses(*commands[:3]) == [SUCCEEDED, ACCEPTED, SUCCEEDED]


def test_a_neighbour_whose_runner_died_is_left_to_be_alone(engine: Engine) -> None:
    commands = accept_one_each(engine)
    engine.take_and_die(commands[1])
    drain(engine, commands[0], ahead=2)

    assert engine.statuses(*commands[:3]) == [SUCCEEDED, ACCEPTED, SUCCEEDED]
    assert engine.incidents(commands[1]) == []


def test_where_a_runner_died_nobody_is_taken_along(engine: Engine) -> None:
    commands = accept_one_each(engine)
    engine.take_and_die(commands[0])
    drain(engine, commands[0])

    assert engine.statuses(*commands) == [SUCCEEDED, *[ACCEPTED] * 4]
    assert [one.kind for one in engine.incidents(commands[0])] == ["runner_died"]


def take_along_and_die(engine: Engine, command_id: UUID) -> None:
    runner = engine.connect()
    limits = Limits(deaths=3)
    dying = Runner(deciders=COUNTERS, name="worker", limits=limits)
    take_ahead(runner, command_id, dying, ahead=10)
    engine.connection.execute(
        "SELECT pg_terminate_backend(%s, 10000)", (runner.info.backend_pid,)
    )


def test_who_goes_along_with_one_that_kills_its_runners_pays_once(
    engine: Engine,
) -> None:
    killer, *others = accept_one_each(engine)
    for _ in range(3):
        take_along_and_die(engine, killer)
    for command_id in (killer, *others):
        drain(engine, command_id, limits=Limits(deaths=3))

    assert engine.statuses(killer, *others) == ["failed", *[SUCCEEDED] * 4]
    deaths = [len(engine.incidents(command_id)) for command_id in (killer, *others)]
    assert deaths == [3, 1, 1, 1, 1]


def test_one_that_killed_its_runners_is_reported_as_others_are(engine: Engine) -> None:
    killer, behind = (engine.accept(Add(counter_id="c0")) for _ in range(2))
    for _ in range(3):
        engine.take_and_die(killer)
    reported: list[FinishedCommand] = []
    done = drain(engine, behind, limits=Limits(deaths=3), reported=reported)

    assert done.finished == 2
    assert [(one.command_id, one.status) for one in reported] == [
        (killer, "failed"),
        (behind, SUCCEEDED),
    ]


def test_what_has_a_time_of_its_own_waits_for_it(engine: Engine) -> None:
    first = engine.accept(Add(counter_id="c0"))
    soon = datetime.now(UTC) + timedelta(minutes=5)
    scheduled = engine.accept(Add(counter_id="c1"), not_before=soon)
    again = engine.accept(Add(counter_id="c2"))
    engine.connection.execute(
        "UPDATE commands SET next_try_at = now() + interval '5 min' WHERE id = %s",
        (again,),
    )
    drain(engine, first)

    assert engine.statuses(first, scheduled, again) == [SUCCEEDED, ACCEPTED, ACCEPTED]


def test_a_neighbour_that_is_refused_or_fails_is_so_alone(engine: Engine) -> None:
    commands = [
        engine.accept(Add(counter_id="c0")),
        engine.accept(Add(counter_id="c1", amount=FULL + 1)),
        engine.accept(Divide(counter_id="c2")),
        engine.accept(Add(counter_id="c3")),
    ]
    drain(engine, commands[0])

    assert engine.statuses(*commands) == [SUCCEEDED, "rejected", "failed", SUCCEEDED]


def test_what_is_due_after_it_in_a_neighbours_stream_is_told(engine: Engine) -> None:
    first = engine.accept(Add(counter_id="c0"))
    for _ in range(25):
        engine.accept(Add(counter_id="c1"))
    done = drain(engine, first)

    assert len(engine.amounts("counter-c1")) == 20
    assert len(done.left) == 1
