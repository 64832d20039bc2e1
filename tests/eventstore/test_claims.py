"""Claims in the append: what one stream has, no other one gets."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from eventstore.claims import ClaimChange, find_claimed
from eventstore.errors import AlreadyClaimed, WrongExpectedVersion
from eventstore.log.append import ANY_VERSION, NO_STREAM, append
from tests.support.claims import UniqueNames, claim, hash_of
from tests.support.engine import Engine, added, at_once
from tests.support.members import NAMES

CLOCK = "counter-clock"
LAMP = "counter-lamp"


def write(
    connection: psycopg.Connection[Any],
    stream_id: str,
    *claims: ClaimChange,
    others: tuple[str, ...] = (),
) -> None:
    """Append an event to a stream, and what is claimed with it."""
    append(
        connection,
        [(stream_id, added(1))],
        expected=dict.fromkeys((stream_id, *others), ANY_VERSION),
        claims=claims,
    )


def owners(engine: Engine) -> dict[str, str]:
    return UniqueNames(engine).owners()


def test_a_claim_is_written_with_its_events(engine: Engine) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK))

    assert owners(engine) == {"Ann": CLOCK}


def test_what_is_claimed_is_not_to_be_read_from_the_table(engine: Engine) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK))
    rows = engine.connection.execute("SELECT unique_claims::text FROM unique_claims")

    assert "Ann" not in str(rows.fetchall())


def test_what_another_stream_has_claimed_is_refused(engine: Engine) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK))

    with pytest.raises(AlreadyClaimed):
        write(engine.connection, LAMP, claim("Ann", LAMP))

    assert (engine.amounts(LAMP), owners(engine)) == ([], {"Ann": CLOCK})


def test_a_refusal_names_scope_stream_and_command_of_every_clash(
    engine: Engine,
) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK), claim("Bob", CLOCK))
    one, two = uuid4(), uuid4()

    with pytest.raises(AlreadyClaimed) as refused:
        write(
            engine.connection,
            LAMP,
            claim("Ann", LAMP, command_id=one),
            claim("Cid", LAMP, command_id=one),
            claim("Bob", LAMP, command_id=two),
        )

    assert {(c.scope, c.stream_id, c.command_id) for c in refused.value.clashes} == {
        (NAMES, LAMP, one),
        (NAMES, LAMP, two),
    }


def test_a_refusal_does_not_tell_whose_it_is(engine: Engine) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK))

    with pytest.raises(AlreadyClaimed) as refused:
        write(engine.connection, LAMP, claim("Ann", LAMP))

    assert (NAMES in str(refused.value), CLOCK in str(refused.value)) == (True, False)


def test_the_same_value_of_another_scope_is_another_claim(engine: Engine) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK))
    write(engine.connection, LAMP, claim("Ann", LAMP)._replace(scope="lamps"))

    assert engine.amounts(LAMP) == [1]


def test_a_stream_may_claim_again_what_it_has(engine: Engine) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK))
    write(engine.connection, CLOCK, claim("Ann", CLOCK))

    assert engine.amounts(CLOCK) == [1, 1]


def test_what_was_released_can_be_claimed(engine: Engine) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK))
    write(engine.connection, CLOCK, claim("Ann", CLOCK, is_released=True))
    write(engine.connection, LAMP, claim("Ann", LAMP))

    assert owners(engine) == {"Ann": LAMP}


def test_nobody_releases_what_is_anothers(engine: Engine) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK))
    write(engine.connection, LAMP, claim("Ann", LAMP, is_released=True))

    assert owners(engine) == {"Ann": CLOCK}


@pytest.mark.parametrize("is_turned", [False, True])
def test_a_value_goes_from_one_stream_to_another_in_one_append(
    is_turned: bool, engine: Engine
) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK))
    changes = [claim("Ann", CLOCK, is_released=True), claim("Ann", LAMP)]
    if is_turned:
        changes.reverse()

    write(engine.connection, LAMP, *changes, others=(CLOCK,))

    assert owners(engine) == {"Ann": LAMP}


def test_two_streams_swap_their_values_in_one_append(engine: Engine) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK))
    write(engine.connection, LAMP, claim("Bob", LAMP))
    write(
        engine.connection,
        LAMP,
        claim("Ann", LAMP),
        claim("Bob", CLOCK),
        claim("Ann", CLOCK, is_released=True),
        claim("Bob", LAMP, is_released=True),
        others=(CLOCK,),
    )

    assert owners(engine) == {"Ann": LAMP, "Bob": CLOCK}


def test_what_one_command_claims_the_next_of_the_append_can_release(
    engine: Engine,
) -> None:
    one, two = uuid4(), uuid4()
    write(
        engine.connection,
        CLOCK,
        claim("Ann", CLOCK, command_id=one),
        claim("Ann", CLOCK, command_id=two, is_released=True),
        claim("Bob", CLOCK, command_id=two),
    )

    assert owners(engine) == {"Bob": CLOCK}


def test_an_append_that_is_refused_claims_nothing(engine: Engine) -> None:
    with pytest.raises(WrongExpectedVersion):
        append(
            engine.connection,
            [(CLOCK, added(1))],
            expected={CLOCK: 7},
            claims=[claim("Ann", CLOCK)],
        )

    assert owners(engine) == {}


def test_the_same_append_again_passes_over_its_claims(engine: Engine) -> None:
    """Its COMMIT was lost on the way, and another stream has the value since."""
    events = [(CLOCK, added(1))]
    first = append(
        engine.connection,
        events,
        expected={CLOCK: NO_STREAM},
        claims=[claim("Ann", CLOCK)],
    )
    write(engine.connection, CLOCK, claim("Ann", CLOCK, is_released=True))
    write(engine.connection, LAMP, claim("Ann", LAMP))

    again = append(
        engine.connection,
        events,
        expected={CLOCK: NO_STREAM},
        claims=[claim("Ann", CLOCK)],
    )

    assert (again, owners(engine)) == (first, {"Ann": LAMP})


def test_whose_a_value_is_can_be_asked_without_an_append(engine: Engine) -> None:
    write(engine.connection, CLOCK, claim("Ann", CLOCK), claim("Bob", CLOCK))
    keys = [(NAMES, hash_of(name)) for name in ("Cid", "Bob", "Ann")]

    assert find_claimed(engine.connection, LAMP, keys) == set(keys[1:])
    assert find_claimed(engine.connection, CLOCK, keys) == set()


def test_of_many_who_claim_the_same_one_gets_it(engine: Engine) -> None:
    def claim_it(number: int) -> Callable[[psycopg.Connection[Any]], bool]:
        stream_id = f"counter-{number}"

        def try_it(connection: psycopg.Connection[Any]) -> bool:
            try:
                write(connection, stream_id, claim("Ann", stream_id))
            except AlreadyClaimed:
                return False
            return True

        return try_it

    won = at_once(engine, *[claim_it(number) for number in range(8)])

    assert (sum(won), len(owners(engine))) == (1, 1)


def test_two_that_would_swap_in_two_appends_do_not_deadlock(engine: Engine) -> None:
    """Each releases what the other claims: without one order both would wait."""

    def swap(
        stream_id: str, own: str, wanted: str
    ) -> Callable[[psycopg.Connection[Any]], bool]:
        def try_it(connection: psycopg.Connection[Any]) -> bool:
            changes = [
                claim(own, stream_id, is_released=True),
                claim(wanted, stream_id),
            ]
            try:
                write(connection, stream_id, *changes)
            except AlreadyClaimed:
                return False
            return True

        return try_it

    write(engine.connection, CLOCK, claim("Ann", CLOCK))
    write(engine.connection, LAMP, claim("Bob", LAMP))
    rounds = [
        at_once(engine, swap(CLOCK, "Ann", "Bob"), swap(LAMP, "Bob", "Ann"))
        for _ in range(10)
    ]

    assert (rounds, owners(engine)) == (
        [[False, False]] * 10,
        {"Ann": CLOCK, "Bob": LAMP},
    )
