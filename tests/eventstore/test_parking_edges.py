"""Parking where something else goes wrong as well."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from eventstore.errors import CannotProject, TooIntertwined
from eventstore.log.append import ANY_VERSION, append
from eventstore.personal.keyring import Keyring
from eventstore.projections.parked_streams import find_parked
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Fact, LookedUp, Update
from eventstore.projections.recompute import Recomputation
from eventstore.projections.tables import tables_of
from eventstore.rebuilding.retrying import RetryResult, retry_parked
from eventstore.sql import create_functions
from eventstore.subscriptions.catch_up import catch_up
from eventstore.subscriptions.subscription import Subscription
from tests.eventstore.test_parking import (
    MEMBERS,
    Erased,
    Group,
    Member,
    counters,
    erase,
    erased,
    erasing,
    many,
    members,
    named,
    parked,
    parking,
    write,
)
from tests.support.club import MASTERS
from tests.support.engine import Engine, added
from tests.support.shared_passes import fail_at_13, folded, made, read
from tests.support.waiting import wait_until


class TimeIsUp(Exception):
    """What the time limit of a runner raises, once, wherever the code is."""


def limited(engine: Engine, projection: Any) -> Subscription:
    made(engine, projection)
    return Parker(interruptions=(TimeIsUp,)).subscription_of(projection, 1)


def read_in_time(engine: Engine, subscription: Subscription) -> None:
    catch_up(engine.connection, subscription, interruptions=(TimeIsUp,))


def test_an_envelope_that_was_tampered_with_parks_its_stream(engine: Engine) -> None:
    """Two readers of it: the pass of the others is not undone, either."""
    many(engine)
    keyring = Keyring(engine.connection, MASTERS)
    data = '{"amount": 3, "note": "mine"}'
    closed = keyring.close_fields(data, {"note"}, "counter-radio", uuid4())
    append(
        engine.connection,
        [("counter-radio", replace(added(3), data=closed))],
        expected={"counter-radio": ANY_VERSION},
        new_keys=keyring.new_keys,
    )
    write(engine, ("lamp", 5))
    models = [named("bad", folded), named("good", folded)]
    made(engine, *models)
    parker = Parker(masters=MASTERS)
    subscriptions = [
        replace(parker.subscription_of(one, 1), opens=lambda _: True) for one in models
    ]
    done = read(engine, subscriptions)

    assert done.error is None
    for name in ("bad", "good"):
        assert [one.stream_id for one in parked(engine, name)] == ["counter-radio"]
        assert counters(engine, name)["lamp"] == 5


def test_a_forgetting_whose_row_the_database_refuses_deletes_it(
    engine: Engine,
) -> None:
    def huge(row: Member | None, fact: Fact, looked_up: LookedUp) -> Any:
        new = erase(row, fact, looked_up)
        is_erased = new is not None and isinstance(fact.event, Erased)
        return replace(new, total=2**63) if is_erased and new else new

    [subscription] = parking(engine, erasing(huge, lambda fact: None))
    many(engine)
    write(engine, ("radio", 5))
    erased(engine, "radio")
    write(engine, ("lamp", 1))
    catch_up(engine.connection, subscription)

    assert "radio" not in members(engine)
    assert members(engine)["lamp"] == (1, 7)
    [one] = parked(engine)
    assert (one.stream_id, one.position) == ("counter-radio", 22)


@pytest.mark.parametrize("batch", [1, 500], ids=["one by one", "together"])
def test_a_row_that_is_loaded_late_has_the_updates_before_it(
    engine: Engine, batch: int
) -> None:
    """That of a parked stream, when it is forgotten: it was not aimed ahead."""

    def update(fact: Fact) -> Update | None:
        if isinstance(fact.event, Erased) or fact.event.amount != 99:
            return None
        return Update(where={"total": 5}, to={"number": 1})

    def keep(row: Member | None, fact: Fact, looked_up: LookedUp) -> Any:
        return row if isinstance(fact.event, Erased) else erase(row, fact, looked_up)

    [subscription] = parking(engine, erasing(keep, update))
    many(engine)
    write(engine, ("radio", 5), ("radio", 13))
    catch_up(engine.connection, subscription)
    assert members(engine)["radio"] == (5, 7)

    write(engine, ("lamp", 99))
    erased(engine, "radio")
    catch_up(engine.connection, replace(subscription, batch=batch))
    assert members(engine)["radio"] == (5, 1)


def once(raised: list[bool], then: Callable[[Fact], Any]) -> Callable[[Fact], Any]:
    def call(fact: Fact) -> Any:
        if raised and raised.pop():
            raise TimeIsUp
        return then(fact)

    return call


def test_a_time_limit_is_passed_on_wherever_it_comes(engine: Engine) -> None:
    """Even where keys are collected, which goes on after other errors."""
    raised: list[bool] = []
    counted = replace(
        MEMBERS,
        needs=lambda fact: {},
        fold=lambda row, fact, _: Member(
            counter=fact.subject, total=fact.event.amount, number=0
        ),
        lookups=[
            replace(
                MEMBERS.lookups[0],
                key_of=once(raised, lambda fact: fact.subject),
                fold=lambda row, fact: Group(
                    counter=fact.subject, number=1 + (row.number if row else 0)
                ),
            )
        ],
    )
    subscription = limited(engine, counted)
    write(engine, ("a", 1), ("a", 1))
    read_in_time(engine, subscription)
    write(engine, ("a", 1))
    raised.append(True)
    with pytest.raises(TimeIsUp):
        read_in_time(engine, subscription)
    read_in_time(engine, subscription)

    rows = engine.connection.execute("TABLE readmodels.bad_g1_groups").fetchall()
    assert rows == [("a", 3)]


def test_a_time_limit_while_an_event_is_aimed_is_passed_on(engine: Engine) -> None:
    """It is aimed once more later, and then nothing is in the way."""
    raised: list[bool] = []

    def key_of(fact: Fact, looked_up: LookedUp) -> str:
        if raised and raised.pop():
            raise TimeIsUp
        return fact.subject

    subscription = limited(engine, replace(named("bad", folded), key_of=key_of))
    write(engine, ("a", 1))
    raised.append(True)

    with pytest.raises(TimeIsUp):
        read_in_time(engine, subscription)


def test_a_time_limit_in_a_trial_is_passed_on(engine: Engine) -> None:
    seen: list[str] = []

    def fold(row: Any, fact: Fact, looked_up: LookedUp) -> Any:
        if fact.event.amount == 13:
            seen.append("bad")
            raise ValueError
        if seen == ["bad"] and fact.subject == "n19":
            seen.append("late")
            raise TimeIsUp
        return folded(row, fact, looked_up)

    subscription = limited(engine, named("bad", fold))
    many(engine)
    read_in_time(engine, subscription)
    write(engine, ("radio", 13))

    with pytest.raises(TimeIsUp):
        read_in_time(engine, subscription)


def test_streams_parked_because_of_each_other_are_tried_together(
    engine: Engine,
) -> None:
    [subscription] = parking(engine, named("bad", fail_at_13))
    many(engine)
    write(engine, ("radio", 13), ("lamp", 13), ("shelf", 13))
    catch_up(engine.connection, subscription)
    for one, other in (("radio", "lamp"), ("lamp", "radio")):
        engine.connection.execute(
            "UPDATE parked_streams SET because_of = %s WHERE stream_id = %s",
            (f"counter-{other}", f"counter-{one}"),
        )

    done = retry_parked(
        engine.connection, named("bad", folded), streams=["counter-lamp"]
    )

    assert done == RetryResult(2, 0)
    [left] = find_parked(engine.connection)
    assert left.stream_id == "counter-shelf"


def test_a_trial_and_its_rows_are_bounded_by_their_events(engine: Engine) -> None:
    made(engine, named("bad", folded))
    write(engine, *[("radio", 1) for _ in range(5)])
    tables = tables_of(named("bad", folded), 1)
    few = Recomputation(
        engine.connection, named("bad", folded), tables, None, up_to=5, most=4
    )

    with pytest.raises(TooIntertwined):
        few.run({"counter-radio"}, {})


SLOW_CHECK = """
    CREATE OR REPLACE FUNCTION public.checkpoint_fault(place bigint, noted varchar)
    RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN
        IF current_setting('application_name') = 'slow' THEN
            PERFORM pg_advisory_xact_lock(4711);
        END IF;
        RETURN NULL;
    END $$
"""


def test_what_is_parked_is_known_from_behind_the_lock(engine: Engine) -> None:
    """Not from the snapshot before it: then a parked stream would be folded on."""
    models = [named(f"m{n:02}", fail_at_13) for n in range(12)]
    subscriptions = parking(engine, *models)
    many(engine)
    read(engine, subscriptions)
    write(engine, ("radio", 13))
    names = [one.name for one in subscriptions]
    slow = engine.connect(autocommit=False)
    slow.execute("SET application_name = 'slow'")
    engine.connection.execute(SLOW_CHECK)
    engine.connection.execute("SELECT pg_advisory_lock(4711)")

    with ThreadPoolExecutor() as threads:
        # It has locked the first ten rows, and waits in the check of the first.
        held = threads.submit(
            lambda: slow.execute(
                "SELECT name, has_parked FROM hold_checkpoints(%s)", (names,)
            ).fetchall()
        )
        wait_until(lambda: is_waiting(engine), "the checkpoint is checked")
        catch_up(engine.connection, subscriptions[11])
        engine.connection.execute("SELECT pg_advisory_unlock(4711)")
        found = dict(held.result(30))
    slow.rollback()
    with engine.pool.begin() as connection:
        create_functions(connection, "checkpoint_fault")

    assert len(parked(engine, "m11")) == 1
    assert {name for name, has in found.items() if has} == {"m11_g1"}


def is_waiting(engine: Engine) -> bool:
    row = engine.connection.execute(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    ).fetchone()
    return row is not None


def test_a_look_up_without_a_stream_of_its_row_is_refused() -> None:
    """A retry could not find the rows that it has made."""
    groups = replace(MEMBERS.lookups[0], category=None)
    with pytest.raises(ValueError, match="names no streams of its groups"):
        replace(MEMBERS, lookups=[groups])
    other = replace(MEMBERS.lookups[0], category="group")
    with pytest.raises(ValueError, match="names no streams of its groups"):
        replace(MEMBERS, lookups=[other])
    assert replace(MEMBERS, lookups=[replace(other, feeds="counter")])


def test_in_a_young_shop_two_bad_streams_are_not_the_code(engine: Engine) -> None:
    [subscription] = parking(engine, named("bad", fail_at_13))
    write(engine, ("a", 13), ("b", 13), ("c", 1))
    catch_up(engine.connection, subscription)
    assert len(parked(engine)) == 2

    write(engine, ("d", 13))
    reached = catch_up(engine.connection, subscription)
    assert isinstance(reached.error, CannotProject)
    assert len(parked(engine)) == 2
