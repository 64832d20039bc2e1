"""
Turns: the database's clock may step, and nothing sleeps or is overtaken.

A clock that goes back by a day makes all that was written before lie a day ahead; so a
step is made here by moving all times that there are the other way.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from eventstore.heartbeats.heartbeats import Beat, beat, find_heartbeats
from eventstore.journal.entries import count_waiting
from eventstore.journal.operator_actions import cancel
from eventstore.journal.pruning import prune
from eventstore.journal.take import LeasedStream, find_waiting, give_back, release
from tests.support.engine import Add, Engine
from tests.support.waiting import somebody_waits, wait_until

CLOCK = "counter-clock"
TOMORROW = datetime.now(UTC) + timedelta(days=1)
WORKER = Beat(process="worker:a:1", role="worker", serves_commands=True)
SECOND, MINUTE, DAY = 1.0, 60.0, 86_400.0

add = Add(counter_id="clock")
every_step = pytest.mark.parametrize("step", [-SECOND, -MINUTE, -DAY, DAY])


def let_clock_step(engine: Engine, seconds: float) -> None:
    """Let the database's clock go on, or back, by so many *seconds*."""
    engine.connection.execute(
        """
        UPDATE commands SET
            accepted_at = accepted_at - s, not_before = not_before - s,
            next_try_at = next_try_at - s, started_at = started_at - s,
            finished_at = finished_at - s
        FROM make_interval(secs => %(s)s) AS s
        """,
        {"s": seconds},
    )
    engine.connection.execute(
        """
        UPDATE heartbeats SET beat_at = beat_at - s, started_at = started_at - s
        FROM make_interval(secs => %(s)s) AS s
        """,
        {"s": seconds},
    )
    engine.connection.execute(
        """
        UPDATE prunings SET
            begun_at = begun_at - s, finished_before = finished_before - s
        FROM make_interval(secs => %(s)s) AS s
        """,
        {"s": seconds},
    )


def schedule(engine: Engine, *seconds_ago: float, counter: str = "clock") -> list[UUID]:
    """Accept commands for later, and let their times come: so many seconds ago."""
    ids = []
    for seconds in seconds_ago:
        scheduled = Add(counter_id=counter)
        ids.append(engine.accept(scheduled, not_before=TOMORROW))
        engine.connection.execute(
            "UPDATE commands SET not_before = clock_timestamp()"
            " - make_interval(secs => %s) WHERE id = %s",
            (seconds, ids[-1]),
        )
    return ids


def taken_ids(taken: LeasedStream | None) -> list[UUID]:
    assert taken is not None
    return [command.id for command in taken.commands]


def find(engine: Engine, patience: float = 0.0) -> list[str]:
    found = find_waiting(engine.connection, patience=patience, most=100)
    return [stream_id for stream_id, _ in found]


def turns(engine: Engine, *ids: UUID) -> list[int | None]:
    rows = engine.connection.execute("SELECT id, turn FROM commands").fetchall()
    by_id = dict(rows)
    return [by_id[command_id] for command_id in ids]


@every_step
def test_what_is_accepted_before_a_step_of_the_clock_is_due_behind_it(
    step: float, engine: Engine
) -> None:
    ids = [engine.accept(add) for _ in range(3)]
    let_clock_step(engine, step)

    assert taken_ids(engine.take(ids[0])) == ids


@every_step
def test_nothing_overtakes_what_was_accepted_before_a_step_of_the_clock(
    step: float, engine: Engine
) -> None:
    ids = [engine.accept(add)]
    for _ in range(3):
        let_clock_step(engine, step)
        ids.append(engine.accept(add))
    let_clock_step(engine, -step)

    assert taken_ids(engine.take(ids[-1])) == ids
    assert release(engine.connection, CLOCK) == ids[0]


@every_step
def test_a_turn_is_not_taken_back_by_a_clock_that_steps(
    step: float, engine: Engine
) -> None:
    scheduled = schedule(engine, 3, 2, 1)
    assert find(engine) == [CLOCK]
    later = engine.accept(add)
    let_clock_step(engine, step)

    assert taken_ids(engine.take(later)) == [*scheduled, later]


@every_step
def test_the_relay_finds_what_was_accepted_before_a_step_of_the_clock(
    step: float, engine: Engine
) -> None:
    engine.accept(add)
    let_clock_step(engine, step)

    assert find(engine, patience=0.75) == [CLOCK]


@every_step
def test_the_relay_finds_what_lost_its_message_whatever_the_clock_did_since(
    step: float, engine: Engine
) -> None:
    engine.accept(add)
    beat(engine.connection, WORKER, is_new=True)
    let_clock_step(engine, step)
    beat(engine.connection, WORKER, is_new=False)
    later = engine.accept(Add(counter_id="later"))
    assert find(engine, patience=0.75) == []

    for _ in range(3):
        beat(engine.connection, replace(WORKER, received=later), is_new=False)
    assert find(engine, patience=0.75) == [CLOCK]


@every_step
def test_what_rests_before_its_next_try_sleeps_through_no_step_of_the_clock(
    step: float, engine: Engine
) -> None:
    command_id = engine.accept(add)
    engine.take(command_id)
    give_back(
        engine.connection, [command_id], incident="error", detail={}, must_wait=True
    )
    assert release(engine.connection, CLOCK) is None
    let_clock_step(engine, step)

    assert release(engine.connection, CLOCK) == command_id
    assert find(engine) == [CLOCK]
    assert taken_ids(engine.take(command_id)) == [command_id]


@every_step
def test_a_runner_that_died_is_known_by_the_server_that_it_died_under(
    step: float, engine: Engine
) -> None:
    command_id = engine.accept(add)
    engine.take_and_die(command_id)
    let_clock_step(engine, step)
    engine.take(command_id)

    assert [i.kind for i in engine.incidents(command_id)] == ["runner_died"]


@every_step
def test_a_crash_of_the_server_is_no_death_whatever_its_clock_was(
    step: float, engine: Engine
) -> None:
    command_id = engine.accept(add)
    engine.take_and_die(command_id)
    # As if the server was another one then.
    engine.connection.execute(
        "UPDATE commands SET marked_under = marked_under + '1 microsecond'"
    )
    let_clock_step(engine, step)
    engine.take(command_id)

    assert engine.incidents(command_id) == []


@pytest.mark.parametrize("step", [-5, -MINUTE, -DAY])
def test_who_beats_in_the_future_is_dead_until_the_next_beat(
    step: float, engine: Engine
) -> None:
    engine.accept(add)
    dead = replace(WORKER, process="worker:a:2")
    beat(engine.connection, WORKER, is_new=True)
    beat(engine.connection, dead, is_new=True)
    let_clock_step(engine, step)
    assert alive(engine) == {"worker:a:1": False, "worker:a:2": False}
    assert find(engine) == [CLOCK]

    beat(engine.connection, WORKER, is_new=False)
    assert alive(engine) == {"worker:a:1": True, "worker:a:2": False}
    # It does not come to life when the time is there that it has beaten at.
    let_clock_step(engine, -step)
    assert alive(engine)["worker:a:2"] is False


def alive(engine: Engine) -> dict[str, bool]:
    """Return who lives; how long somebody is silent is never negative."""
    found = find_heartbeats(engine.connection)
    assert all(heartbeat.silence >= 0 for heartbeat in found)
    return {heartbeat.process: heartbeat.is_alive for heartbeat in found}


@every_step
def test_the_age_of_the_oldest_is_that_of_the_lowest_turn_and_never_negative(
    step: float, engine: Engine
) -> None:
    first = engine.accept(add)
    let_clock_step(engine, step)
    engine.accept(add)
    with engine.pool.connect() as connection:
        waiting = count_waiting(connection)

    assert waiting.oldest == engine.entry(first).accepted_at
    assert waiting.age >= 0
    # Ahead: it waits for so long, as far as anybody knows.
    assert waiting.clock_stepped is (step < 0)


def test_a_clock_that_did_not_step_is_not_told(engine: Engine) -> None:
    for _ in range(3):
        engine.accept(add)
    schedule(engine, 1)
    with engine.pool.connect() as connection:
        waiting = count_waiting(connection)

    assert (waiting.count, waiting.clock_stepped) == (4, False)


def test_what_has_its_turn_cannot_be_taken_back_when_the_clock_goes_back(
    engine: Engine,
) -> None:
    (scheduled,) = schedule(engine, 1)
    find(engine)
    let_clock_step(engine, -DAY)

    assert cancel(engine.connection, scheduled, by="alice") == (False, "accepted")
    assert engine.entry(scheduled).display_status == "accepted"


@every_step
def test_scheduled_commands_keep_the_order_of_their_times(
    step: float, engine: Engine
) -> None:
    late, early = schedule(engine, 1, 2)
    let_clock_step(engine, step)
    let_clock_step(engine, DAY)

    assert taken_ids(engine.take(late)) == [early, late]


@every_step
def test_a_pruning_ends_at_no_command_of_another_time(
    step: float, engine: Engine
) -> None:
    ids = [engine.accept(add) for _ in range(2)]
    engine.drain(ids[0])
    let_clock_step(engine, step)
    ids.append(engine.accept(add))
    engine.drain(ids[2])
    let_clock_step(engine, 10)
    ((moment,),) = engine.connection.execute("SELECT clock_timestamp()").fetchall()
    pruned = sum(prune(engine.connection, moment, by="olga", batch=1))

    assert pruned == (1 if step == -MINUTE or step == -DAY else 3)


@every_step
def test_a_command_under_the_key_of_one_that_was_pruned_is_another_by_number(
    step: float, engine: Engine
) -> None:
    engine.drain(engine.accept(add, key="first"))
    ((moment,),) = engine.connection.execute("SELECT clock_timestamp()").fetchall()
    assert sum(prune(engine.connection, moment, by="olga")) == 1
    let_clock_step(engine, step)
    engine.drain(engine.accept(add, key="first"))

    assert engine.amounts(CLOCK) == [1, 1]


def test_two_who_find_what_is_due_give_each_one_turn_in_order(engine: Engine) -> None:
    """The relay has drawn, and not committed, when somebody takes the stream."""
    early, late = schedule(engine, 2, 1)
    relay, runner = engine.connect(autocommit=False), engine.connect()
    relay.execute("UPDATE commands SET not_before = %s WHERE id = %s", (TOMORROW, late))
    relay.commit()
    find_waiting(relay, patience=0, most=100)
    engine.connection.execute(
        "UPDATE commands SET not_before = clock_timestamp() WHERE id = %s", (late,)
    )
    with ThreadPoolExecutor(1) as threads:
        taking = threads.submit(engine.take, early, runner)
        wait_until(
            lambda: somebody_waits(engine.connection), "the runner waits for the relay"
        )
        relay.commit()
        taken = taking.result(10)

    assert taken_ids(taken) == [early, late]
    first, second = turns(engine, early, late)
    assert first is not None
    assert second is not None
    assert first < second


def test_the_relay_passes_by_where_somebody_gives_turns(engine: Engine) -> None:
    (here,) = schedule(engine, 1)
    (there,) = schedule(engine, 1, counter="other")
    somebody = engine.connect(autocommit=False)
    somebody.execute("SELECT public.give_turns(%s, true)", (CLOCK,))
    find(engine)
    is_given = [turn is not None for turn in turns(engine, here, there)]
    somebody.rollback()
    find(engine)

    assert is_given == [False, True]
    assert None not in turns(engine, here, there)


def test_many_that_are_due_at_once_have_their_turns_in_order(engine: Engine) -> None:
    engine.connection.execute(
        """
        INSERT INTO commands
            (id, stream_id, type, data, metadata, principal, fingerprint, not_before)
        SELECT
            gen_random_uuid(), 'counter-clock', 'Add', '{}', '{}', 'alice', '',
            clock_timestamp() - make_interval(secs => n)
        FROM generate_series(1, 2500) AS n
        """
    )
    for _ in range(3):
        find(engine)
    rows = engine.connection.execute(
        "SELECT seq FROM commands ORDER BY turn"
    ).fetchall()
    numbers = [seq for (seq,) in rows]

    assert turns(engine, *[i for (i,) in rows_of_ids(engine)]).count(None) == 0
    assert numbers == sorted(numbers, reverse=True)


def rows_of_ids(engine: Engine) -> list[tuple[UUID]]:
    return engine.connection.execute("SELECT id FROM commands").fetchall()
