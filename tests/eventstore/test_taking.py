"""Taking a stream and letting go of it: whose turn it is, and who holds it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from eventstore.journal.completion import Completion, append_and_complete
from eventstore.journal.take import LeasedStream, find_waiting, give_back, release
from tests.support.engine import Add, Engine

CLOCK = "counter-clock"
IN_1996 = datetime(1996, 7, 4, tzinfo=UTC)
TOMORROW = datetime.now(UTC) + timedelta(days=1)

add = Add(counter_id="clock", amount=5)


def taken_ids(taken: LeasedStream | None) -> list[object]:
    assert taken is not None
    return [command.id for command in taken.commands]


def accept_due_earlier(engine: Engine) -> UUID:
    """Accept a command for later, and let its time come before that of all others."""
    command_id = engine.accept(add, not_before=TOMORROW)
    engine.connection.execute(
        "UPDATE commands SET not_before = %s WHERE id = %s", (IN_1996, command_id)
    )
    return command_id


def test_a_stream_is_taken_with_all_that_is_due_in_order(engine: Engine) -> None:
    ids = [engine.accept(add) for _ in range(3)]

    assert taken_ids(engine.take(ids[2])) == ids


def test_a_stream_is_taken_with_its_events(engine: Engine) -> None:
    engine.append(CLOCK, 5, 7, expected=0)
    taken = engine.take(engine.accept(add))

    assert taken is not None
    assert [event.version for event in taken.past.events] == [1, 2]


def test_other_streams_are_left_alone(engine: Engine) -> None:
    engine.accept(Add(counter_id="lamp"))
    command_id = engine.accept(add)

    assert taken_ids(engine.take(command_id)) == [command_id]


def test_a_command_whose_time_has_not_come_is_not_taken(engine: Engine) -> None:
    engine.accept(add, not_before=TOMORROW)
    due = engine.accept(add)

    assert taken_ids(engine.take(due)) == [due]


def test_a_scheduled_command_has_its_turn_from_when_it_is_found_due(
    engine: Engine,
) -> None:
    first = engine.accept(add)
    scheduled = accept_due_earlier(engine)

    assert taken_ids(engine.take(first)) == [first, scheduled]
    last = engine.accept(add)
    give_back(
        engine.connection, [first], incident="stopped", detail={}, must_wait=False
    )
    release(engine.connection, CLOCK)
    assert taken_ids(engine.take(first)) == [first, scheduled, last]


def test_a_time_that_has_passed_already_lets_nobody_go_first(engine: Engine) -> None:
    first = engine.accept(add)
    late = engine.accept(add, not_before=IN_1996)
    last = engine.accept(add)

    assert taken_ids(engine.take(first)) == [first, late, last]


def test_where_nothing_is_due_nothing_is_taken(engine: Engine) -> None:
    command_id = engine.accept(add, not_before=TOMORROW)

    assert taken_ids(engine.take(command_id)) == []


def test_a_take_is_bounded_by_the_size_of_its_commands(engine: Engine) -> None:
    ids = [engine.accept(Add(counter_id="clock", note="x" * 800)) for _ in range(3)]

    assert taken_ids(engine.take(ids[0], max_bytes=2_000)) == ids[:2]


def test_a_command_beyond_the_bound_is_taken_alone(engine: Engine) -> None:
    ids = [engine.accept(Add(counter_id="clock", note="x" * 800)) for _ in range(2)]

    assert taken_ids(engine.take(ids[0], max_bytes=10)) == ids[:1]


def test_a_command_that_nobody_accepted_is_nothing_to_do(engine: Engine) -> None:
    assert engine.take(uuid4()) is None


def test_a_finished_command_is_nothing_to_do(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.drain(command_id)

    assert engine.take(command_id) is None


def test_a_stream_that_somebody_holds_is_not_taken(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.take(command_id, engine.connect())

    assert engine.take(command_id) is None


def test_taking_marks_who_runs_the_first_command(engine: Engine) -> None:
    first, second = engine.accept(add), engine.accept(add)
    engine.take(first)

    assert [engine.entry(i).ran_by for i in (first, second)] == ["worker", None]


def test_a_stream_can_be_taken_when_it_was_released(engine: Engine) -> None:
    command_id = engine.accept(add)
    somebody = engine.connect()
    engine.take(command_id, somebody)
    release(somebody, CLOCK)

    assert taken_ids(engine.take(command_id)) == [command_id]


def test_whoever_lets_go_sees_what_was_accepted_meanwhile(engine: Engine) -> None:
    first = engine.accept(add)
    engine.take(first)
    second = engine.accept(add)
    done = [Completion(command_id=first, status="rejected")]
    append_and_complete(engine.connection, [], expected={CLOCK: 0}, completing=done)

    assert release(engine.connection, CLOCK) == second


def test_whoever_lets_go_of_an_empty_stream_has_nothing_to_do(engine: Engine) -> None:
    first = engine.accept(add)
    engine.take(first)
    done = [Completion(command_id=first, status="rejected")]
    append_and_complete(engine.connection, [], expected={CLOCK: 0}, completing=done)

    assert release(engine.connection, CLOCK) is None


def test_what_is_given_back_is_no_death(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.take(command_id)
    give_back(
        engine.connection, [command_id], incident="stopped", detail={}, must_wait=False
    )
    release(engine.connection, CLOCK)
    engine.take(command_id)

    assert [i.kind for i in engine.incidents(command_id)] == ["stopped"]


def test_a_finished_command_is_not_given_back(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.drain(command_id)
    give_back(
        engine.connection, [command_id], incident="stopped", detail={}, must_wait=True
    )

    assert engine.incidents(command_id) == []


def waiting(engine: Engine, **limits: object) -> list[str]:
    """Return the streams that wait, as a relay without patience sees them."""
    asked = {"patience": 0.0, "most": 100, **limits}
    found = find_waiting(engine.connection, **asked)  # type: ignore[arg-type]
    return [stream_id for stream_id, _ in found]


def test_streams_that_wait_are_found_in_order(engine: Engine) -> None:
    for name in ("lamp", "clock", "radio", "lamp"):
        engine.accept(Add(counter_id=name))

    assert waiting(engine) == ["counter-clock", "counter-lamp", "counter-radio"]


def test_a_stream_that_waits_is_found_with_the_command_whose_turn_it_is(
    engine: Engine,
) -> None:
    first = engine.accept(add)
    accept_due_earlier(engine)

    assert find_waiting(engine.connection, patience=0, most=100) == [(CLOCK, first)]


def test_a_message_may_still_come(engine: Engine) -> None:
    engine.accept(add)

    assert waiting(engine, patience=3_600.0) == []


def test_nobody_sends_a_message_for_what_has_a_time_of_its_own(engine: Engine) -> None:
    accept_due_earlier(engine)

    assert waiting(engine, patience=3_600.0) == [CLOCK]


def test_what_comes_with_a_time_that_has_passed_is_as_without(engine: Engine) -> None:
    command_id = engine.accept(add, not_before=IN_1996)

    assert engine.entry(command_id).not_before is None
    assert waiting(engine, patience=3_600.0) == []


def test_what_is_scheduled_does_not_wait_yet(engine: Engine) -> None:
    engine.accept(add, not_before=TOMORROW)

    assert waiting(engine) == []


@pytest.mark.parametrize(
    ("seconds", "found"), [(30, []), (-30, [CLOCK]), (61, [CLOCK]), (86_400, [CLOCK])]
)
def test_what_was_tried_waits_from_its_next_try_on_and_no_longer_than_it_can_rest(
    seconds: int, found: list[str], engine: Engine
) -> None:
    engine.accept(add)
    engine.connection.execute(
        "UPDATE commands SET attempts = 20,"
        " next_try_at = now() + make_interval(secs => %s)",
        (seconds,),
    )

    assert waiting(engine, patience=3_600.0) == found


def test_what_is_finished_does_not_wait(engine: Engine) -> None:
    engine.drain(engine.accept(add))

    assert waiting(engine) == []


def test_a_look_for_what_waits_is_bounded_and_goes_on(engine: Engine) -> None:
    for name in ("lamp", "clock", "radio"):
        engine.accept(Add(counter_id=name))
    first = waiting(engine, most=2)

    assert (first, waiting(engine, after_stream=first[-1])) == (
        ["counter-clock", "counter-lamp"],
        ["counter-radio"],
    )
