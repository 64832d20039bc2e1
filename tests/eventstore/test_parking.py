"""An event that cannot be projected parks its stream; nothing else stops."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from eventstore.log.append import ANY_VERSION, append
from eventstore.projections.generations import drop_generation
from eventstore.projections.parked_streams import ParkedStream, find_parked
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Fact, LookedUp, Lookup, Projection, Update
from eventstore.subscriptions.catch_up import catch_up
from eventstore.subscriptions.subscription import Subscription
from tests.support.engine import Added, Engine, added
from tests.support.shared_passes import (
    checkpoints,
    fail_at_13,
    folded,
    made,
    plain,
    read,
    rows,
)


def parking(engine: Engine, *projections: Projection) -> list[Subscription]:
    made(engine, *projections)
    return [Parker().subscription_of(one, 1) for one in projections]


def write(engine: Engine, *amounts: tuple[str, int]) -> None:
    for name, amount in amounts:
        stream_id = f"counter-{name}"
        append(
            engine.connection,
            [(stream_id, added(amount))],
            expected={stream_id: ANY_VERSION},
        )


def many(engine: Engine, number: int = 20) -> None:
    """Write to so many streams that one which fails is an exception."""
    write(engine, *[(f"n{n}", 1) for n in range(number)])


def parked(engine: Engine, name: str = "bad") -> list[ParkedStream]:
    return find_parked(engine.connection, name)


def counters(engine: Engine, name: str = "bad") -> dict[str, int]:
    return {counter: total for counter, total, *_ in rows(engine, name)}


def named(name: str, fold: Any, **changes: Any) -> Projection:
    """Return a read model that names the streams of its rows."""
    return replace(plain(name, fold), streams={"counter": "counter"}, **changes)


def test_a_bad_event_parks_its_stream_and_all_others_are_followed(
    engine: Engine,
) -> None:
    subscriptions = parking(engine, plain("bad", fail_at_13), plain("good", folded))
    many(engine)
    write(engine, ("radio", 4), ("radio", 13), ("lamp", 5), ("radio", 2))
    read(engine, subscriptions)
    write(engine, ("radio", 1), ("lamp", 6))
    read(engine, subscriptions)

    [one] = parked(engine)
    assert (one.stream_id, one.position, one.attempts) == ("counter-radio", 22, 1)
    assert (one.error, one.because_of) == ("ValueError", None)
    assert one.line.startswith("tests.support.shared_passes:")
    assert counters(engine)["radio"] == 4
    assert counters(engine)["lamp"] == 11
    assert checkpoints(engine) == {"bad_g1": 26, "good_g1": 26}


def test_who_has_something_to_park_delays_nobody(engine: Engine) -> None:
    """The pass of the others is not undone: it is done once."""
    subscriptions = parking(engine, plain("bad", fail_at_13), plain("good", folded))
    many(engine)
    write(engine, ("radio", 13))

    done = read(engine, subscriptions)

    assert done.error is None
    assert done.handled == {"good_g1": 21}
    assert done.to_read_alone == ["bad_g1"]
    assert checkpoints(engine)["bad_g1"] == 21


def test_a_parked_stream_costs_no_reading_alone(engine: Engine) -> None:
    subscriptions = parking(engine, plain("bad", fail_at_13))
    many(engine)
    write(engine, ("radio", 13))
    read(engine, subscriptions)
    write(engine, ("radio", 13), ("lamp", 1))

    done = read(engine, subscriptions)

    assert (done.handled, list(done.to_read_alone)) == ({"bad_g1": 2}, [])
    assert len(parked(engine)) == 1


def test_bad_code_parks_nothing_and_stops_at_its_first_event(engine: Engine) -> None:
    def broken(row: Any, fact: Fact, looked_up: LookedUp) -> Any:
        return folded(row, fact, looked_up)[0]  # type: ignore[index]

    [before] = parking(engine, plain("bad", folded))
    many(engine)
    read(engine, [before])
    write(engine, ("radio", 1))
    deployed = Parker().subscription_of(plain("bad", broken), 1)
    read(engine, [deployed])

    assert parked(engine) == []
    assert checkpoints(engine) == {"bad_g1": 20}
    row = engine.connection.execute(
        "SELECT error ->> 'kind', stopped_at_position FROM subscriptions"
    ).fetchone()
    assert row == ("code", 21)


def test_bad_code_is_told_from_many_bad_events_by_the_streams_that_fail(
    engine: Engine,
) -> None:
    """In forty of a hundred streams: more than half would be the code."""
    [subscription] = parking(engine, plain("bad", fail_at_13))
    names = [(f"n{n}", 13 if n % 20 < 8 else 1) for n in range(100)]
    write(engine, *names)
    read(engine, [subscription])
    assert len(parked(engine)) == 40

    write(engine, *[(f"m{n}", 13) for n in range(100)])
    catch_up(engine.connection, subscription)
    assert len(parked(engine)) == 40
    assert checkpoints(engine) == {"bad_g1": 100}


def test_of_two_streams_nobody_can_tell(engine: Engine) -> None:
    [subscription] = parking(engine, plain("bad", fail_at_13))
    write(engine, ("radio", 13), ("lamp", 13))
    read(engine, [subscription])

    assert len(parked(engine)) == 2


def test_what_the_time_limit_of_a_runner_interrupts_is_not_parked(
    engine: Engine,
) -> None:
    class TimeIsUp(Exception):
        pass

    def interrupted(row: Any, fact: Fact, looked_up: LookedUp) -> Any:
        raise TimeIsUp

    made(engine, plain("bad", folded))
    parker = Parker(interruptions=(TimeIsUp,))
    subscription = parker.subscription_of(plain("bad", interrupted), 1)
    write(engine, ("radio", 1))

    with pytest.raises(TimeIsUp):
        catch_up(engine.connection, subscription, interruptions=(TimeIsUp,))
    assert parked(engine) == []


def test_an_event_whose_row_the_database_does_not_take_parks_its_stream(
    engine: Engine,
) -> None:
    def huge(row: Any, fact: Fact, looked_up: LookedUp) -> Any:
        new = folded(row, fact, looked_up)
        return replace(new, total=2**63) if fact.event.amount == 13 else new

    subscriptions = parking(engine, plain("bad", huge), plain("good", folded))
    many(engine)
    write(engine, ("radio", 13), ("lamp", 5), ("radio", 1), ("shelf", 13), ("lamp", 1))
    read(engine, subscriptions)
    read(engine, subscriptions)

    assert [one.stream_id for one in parked(engine)] == [
        "counter-radio",
        "counter-shelf",
    ]
    assert counters(engine)["lamp"] == 6
    assert checkpoints(engine) == {"bad_g1": 25, "good_g1": 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    counter: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    counter: str
    total: int
    number: int


def fold_member(row: Member | None, fact: Fact, looked_up: LookedUp) -> Member:
    if fact.event.amount == 13:
        raise ValueError("thirteen")
    total = 0 if row is None else row.total
    return Member(
        counter=fact.subject,
        total=total + fact.event.amount,
        # Raises where the group was never made.
        number=looked_up["groups"].number,
    )


def group_of(fact: Fact) -> str | None:
    return fact.subject if fact.subject in GROUPS else None


GROUPS = ("a", "b")

MEMBERS = Projection(
    name="bad",
    row=Member,
    key="counter",
    events=[Added],
    key_of=lambda fact, _: fact.subject,
    fold=fold_member,
    needs=lambda fact: {"groups": fact.subject[:1]},
    streams={"counter": "counter"},
    lookups=[
        Lookup(
            name="groups",
            row=Group,
            key="counter",
            key_of=group_of,
            fold=lambda _, fact: Group(counter=fact.subject, number=fact.event.amount),
            category="counter",
        )
    ],
)


def members(engine: Engine) -> dict[str, tuple[int, int]]:
    return {name: (total, number) for name, total, number in rows(engine, "bad")}


@pytest.mark.parametrize("batch", [1, 500], ids=["one by one", "together"])
def test_who_needs_a_row_of_a_parked_stream_is_parked_because_of_it(
    engine: Engine, batch: int
) -> None:
    [subscription] = parking(engine, MEMBERS)
    write(engine, ("b", 2), *[(f"b{n}", 1) for n in range(9)])
    write(engine, ("a", 13), ("a1", 5), ("b1", 5), ("a1", 6))
    catch_up(engine.connection, replace(subscription, batch=batch))

    assert [(one.stream_id, one.because_of) for one in parked(engine)] == [
        ("counter-a", None),
        ("counter-a1", "counter-a"),
    ]
    assert members(engine)["b1"] == (6, 2)


@pytest.mark.parametrize("batch", [1, 500], ids=["one by one", "together"])
def test_an_event_that_fails_changes_no_look_up(engine: Engine, batch: int) -> None:
    """What others look up is as it was before it: old, and there."""
    [subscription] = parking(engine, MEMBERS)
    write(engine, ("a", 1), ("b", 2), *[(f"b{n}", 1) for n in range(9)])
    write(engine, ("a1", 5), ("a", 13), ("a1", 1), ("a2", 1), ("a", 4), ("a1", 1))
    catch_up(engine.connection, replace(subscription, batch=batch))

    assert [one.stream_id for one in parked(engine)] == ["counter-a"]
    assert members(engine)["a1"] == (7, 1)
    assert members(engine)["a2"] == (1, 1)
    groups = engine.connection.execute(
        "SELECT * FROM readmodels.bad_g1_groups ORDER BY 1"
    ).fetchall()
    assert groups == [("a", 1), ("b", 2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """Whoever a counter belongs to is forgotten."""


def erasing(fold: Any, update: Any) -> Projection:
    return replace(
        MEMBERS,
        events=[Added, Erased],
        fold=fold,
        update=update,
        needs=lambda fact: {},
        forgets=[Erased],
        lookups=[
            replace(
                MEMBERS.lookups[0],
                key_of=lambda fact: fact.subject,
                fold=lambda _, fact: Group(
                    counter=fact.subject,
                    number=0 if isinstance(fact.event, Erased) else fact.event.amount,
                ),
            )
        ],
    )


def erase(row: Member | None, fact: Fact, looked_up: LookedUp) -> Member | None:
    if isinstance(fact.event, Erased):
        return None if row is None else replace(row, total=0)
    return fold_member(row, fact, {"groups": Group(counter="", number=7)})


def fail_to_erase(row: Member | None, fact: Fact, looked_up: LookedUp) -> Any:
    if isinstance(fact.event, Erased):
        raise ValueError("erased")
    return erase(row, fact, looked_up)


def erased(engine: Engine, name: str) -> None:
    event = replace(added(0), type="Erased", data="{}")
    stream_id = f"counter-{name}"
    append(engine.connection, [(stream_id, event)], expected={stream_id: ANY_VERSION})


@pytest.mark.parametrize("batch", [1, 500], ids=["one by one", "together"])
def test_an_event_that_forgets_is_applied_to_a_parked_stream(
    engine: Engine, batch: int
) -> None:
    def update(fact: Fact) -> Update | None:
        if isinstance(fact.event, Erased):
            return Update(where={"total": 99}, to={"number": 1})
        return None

    [subscription] = parking(engine, erasing(erase, update))
    many(engine)
    write(engine, ("radio", 5), ("radio", 13), ("radio", 6))
    write(engine, ("lamp", 99), ("shelf", 99))
    erased(engine, "radio")
    write(engine, ("radio", 7), ("lamp", 1))
    catch_up(engine.connection, replace(subscription, batch=batch))

    assert [one.stream_id for one in parked(engine)] == ["counter-radio"]
    assert members(engine)["radio"] == (0, 7)
    # Others were changed by its update, in order with their folds.
    assert members(engine)["shelf"] == (99, 1)
    assert members(engine)["lamp"] == (100, 7)
    groups = dict(
        engine.connection.execute("SELECT * FROM readmodels.bad_g1_groups").fetchall()
    )
    assert (groups["radio"], groups["lamp"]) == (0, 1)


@pytest.mark.parametrize("batch", [1, 500], ids=["one by one", "together"])
@pytest.mark.parametrize("is_parked", [True, False], ids=["parked", "followed"])
def test_where_forgetting_fails_the_rows_are_deleted(
    engine: Engine, batch: int, is_parked: bool
) -> None:
    [subscription] = parking(engine, erasing(fail_to_erase, lambda fact: None))
    many(engine)
    write(engine, ("radio", 5), ("radio", 13 if is_parked else 1))
    erased(engine, "radio")
    write(engine, ("lamp", 1))
    catch_up(engine.connection, replace(subscription, batch=batch))

    assert [one.stream_id for one in parked(engine)] == ["counter-radio"]
    assert "radio" not in members(engine)
    assert members(engine)["lamp"] == (1, 7)
    found: Sequence[Any] = engine.connection.execute(
        "SELECT FROM readmodels.bad_g1_groups WHERE counter = 'radio'"
    ).fetchall()
    assert found == []


def test_a_generation_takes_what_is_parked_for_it_along(engine: Engine) -> None:
    subscriptions = parking(engine, named("bad", fail_at_13))
    many(engine)
    write(engine, ("radio", 13))
    read(engine, subscriptions)
    engine.connection.execute("DROP VIEW readmodels.bad")
    drop_generation(engine.connection, "bad", 1)

    rest = engine.connection.execute("SELECT FROM parked_streams").fetchall()
    assert rest == []
