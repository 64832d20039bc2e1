"""Projections: rows that follow the log, in sets, behind a plain name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from eventstore.log.append import NO_STREAM, append
from eventstore.projections.generations import ensure_generation, live_generations
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import (
    Fact,
    Key,
    LookedUp,
    Lookup,
    Projection,
    Update,
)
from eventstore.projections.table import Table
from eventstore.steps import send_all
from eventstore.subscriptions.catch_up import CaughtUp, catch_up
from tests.support.engine import Added, Engine, added, at_once
from tests.support.totals import Total as Clock
from tests.support.totals import counter_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What a counter counts, and what the clock counted when it last moved."""

    counter: str
    total: int
    clock: int | None


def clock_of(fact: Fact) -> str | None:
    return fact.subject if fact.subject == "clock" else None


def clock(row: Clock | None, fact: Fact) -> Clock:
    total = 0 if row is None else row.total
    return Clock(counter=fact.subject, total=total + fact.event.amount)


def total(row: Total | None, fact: Fact, looked_up: LookedUp) -> Total | None:
    """Fold; a counter that comes to nothing has no row, and one that is at 13 fails."""
    before = Total(counter=fact.subject, total=0, clock=None) if row is None else row
    after = before.total + fact.event.amount
    if after == 13:
        raise ValueError("thirteen")
    if after == 0:
        return None
    seen: Clock | None = looked_up["clock"]
    return replace(before, total=after, clock=None if seen is None else seen.total)


def needs(fact: Fact) -> Mapping[str, Key]:
    return {"clock": "clock"}


totals = Projection(
    name="totals",
    row=Total,
    key="counter",
    events=[Added],
    key_of=counter_of,
    fold=total,
    lookups=[
        Lookup(name="clock", row=Clock, key="counter", key_of=clock_of, fold=clock)
    ],
    needs=needs,
)


@pytest.fixture
def read_model(engine: Engine) -> Engine:
    """The engine with the read model `totals`, empty."""
    ensure_generation(engine.pool, totals)
    return engine


def project(engine: Engine, *, batch: int = 500) -> CaughtUp:
    subscription = subscription_of(totals, 1)
    return catch_up(engine.connection, replace(subscription, batch=batch))


def rows(engine: Engine) -> list[tuple[Any, ...]]:
    """Return the rows by the read model's plain name."""
    query = "SELECT counter, total, clock FROM readmodels.totals ORDER BY counter"
    return engine.connection.execute(query).fetchall()


def write(engine: Engine, *amounts: tuple[str, int]) -> None:
    """Append one event after the other to counters that are empty."""
    append(
        engine.connection,
        [(f"counter-{name}", added(amount)) for name, amount in amounts],
        expected=dict.fromkeys((f"counter-{n}" for n, _ in amounts), NO_STREAM),
    )


def test_rows_follow_the_log(read_model: Engine) -> None:
    write(read_model, ("lamp", 5), ("radio", 7), ("lamp", 9))
    project(read_model)

    assert rows(read_model) == [("lamp", 14, None), ("radio", 7, None)]


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_the_size_of_a_batch_makes_no_difference(
    batch: int, read_model: Engine
) -> None:
    write(read_model, ("lamp", 5), ("clock", 3), ("lamp", 9), ("clock", 4))
    project(read_model, batch=batch)

    assert rows(read_model) == [("clock", 7, 7), ("lamp", 14, 3)]


def test_a_look_up_is_folded_in_the_batch_that_reads_it(read_model: Engine) -> None:
    write(read_model, ("lamp", 1), ("clock", 3), ("radio", 1))
    project(read_model)

    assert rows(read_model) == [("clock", 3, 3), ("lamp", 1, None), ("radio", 1, 3)]


def test_a_look_up_is_found_by_a_later_batch(read_model: Engine) -> None:
    write(read_model, ("clock", 3))
    project(read_model)
    write(read_model, ("lamp", 1))
    project(read_model)

    assert rows(read_model) == [("clock", 3, 3), ("lamp", 1, 3)]


def doubled(fact: Fact) -> Update | None:
    """Return the change that an event of 100 makes to all rows with a clock of 3."""
    if fact.event.amount != 100:
        return None
    return Update(where={"clock": 3}, to={"clock": 6})


@pytest.mark.parametrize("batch", [1, 2, 3, 500])
def test_an_update_of_many_rows_comes_in_its_turn(
    batch: int, read_model: Engine
) -> None:
    """The lamp's row is written before it and changed, the radio's comes after it."""
    write(
        read_model,
        *[("clock", 3), ("lamp", 1), ("signal", 100), ("radio", 7)],
    )
    subscription = subscription_of(replace(totals, update=doubled), 1)
    catch_up(read_model.connection, replace(subscription, batch=batch))

    assert rows(read_model) == [
        ("clock", 3, 6),
        ("lamp", 1, 6),
        ("radio", 7, 3),
        ("signal", 100, 6),
    ]


def test_a_row_that_the_fold_drops_is_deleted(read_model: Engine) -> None:
    write(read_model, ("lamp", 5), ("radio", 7))
    project(read_model)
    read_model.append("counter-lamp", -5, expected=1)
    project(read_model)

    assert rows(read_model) == [("radio", 7, None)]


def test_a_row_that_comes_and_goes_in_one_batch_never_was(read_model: Engine) -> None:
    write(read_model, ("lamp", 5), ("lamp", -5))
    project(read_model)

    assert rows(read_model) == []


def test_a_row_that_was_dropped_can_come_again(read_model: Engine) -> None:
    write(read_model, ("lamp", 5), ("lamp", -5), ("lamp", 7))
    project(read_model)

    assert rows(read_model) == [("lamp", 7, None)]


def test_an_event_that_cannot_be_folded_stops_the_projection(
    read_model: Engine,
) -> None:
    write(read_model, ("lamp", 5), ("radio", 13), ("lamp", 9))

    assert project(read_model).stopped_at == 2


def test_what_came_before_an_event_that_cannot_be_folded_is_shown(
    read_model: Engine,
) -> None:
    write(read_model, ("lamp", 5), ("radio", 13), ("lamp", 9))
    project(read_model)

    assert rows(read_model) == [("lamp", 5, None)]


def test_an_event_that_does_not_fit_its_class_stops_the_projection(
    read_model: Engine,
) -> None:
    write(read_model, ("lamp", 5))
    unfitting = replace(added(1), data='{"amount": "seven"}')
    append(read_model.connection, [("counter-x", unfitting)], expected={"counter-x": 0})

    assert project(read_model).stopped_at == 2


def test_a_row_that_the_database_refuses_stops_the_projection(
    read_model: Engine,
) -> None:
    """The sum does not fit its column: no Python rule knows of it."""
    write(read_model, ("lamp", 5), ("radio", 2**63 - 1), ("radio", 1), ("clock", 2))
    stopped = project(read_model)

    assert (stopped.checkpoint, stopped.stopped_at) == (2, 3)
    assert rows(read_model) == [("lamp", 5, None), ("radio", 2**63 - 1, None)]


def test_a_bad_event_behind_one_that_cannot_be_folded_changes_nothing(
    read_model: Engine,
) -> None:
    write(read_model, ("lamp", 5), ("radio", 13))
    unfitting = replace(added(1), data='{"amount": "seven"}')
    append(read_model.connection, [("counter-x", unfitting)], expected={"counter-x": 0})

    assert project(read_model).stopped_at == 2


def test_a_read_model_has_its_plain_name_and_a_generation_behind_it(
    read_model: Engine,
) -> None:
    names = read_model.connection.execute(
        """
        SELECT relname, relkind::text FROM pg_class
        WHERE relnamespace = 'readmodels'::regnamespace AND relkind IN ('r', 'v')
        ORDER BY 1
        """
    ).fetchall()

    assert names == [("totals", "v"), ("totals_g1", "r"), ("totals_g1_clock", "r")]


def test_a_read_model_that_exists_is_left_as_it_is(read_model: Engine) -> None:
    write(read_model, ("lamp", 5))
    project(read_model)
    ensure_generation(read_model.pool, totals)

    assert rows(read_model) == [("lamp", 5, None)]


def test_a_read_model_that_was_never_made_has_no_generation(engine: Engine) -> None:
    assert live_generations(engine.connection) == {}


def test_eight_that_start_at_once_make_one_generation(engine: Engine) -> None:
    at_once(engine, *[lambda _: ensure_generation(engine.pool, totals)] * 8)

    assert engine.connection.execute(
        "SELECT read_model, live FROM generations"
    ).fetchall() == [("totals", 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a column of JSON may hold: other types, and others inside."""

    amount: Decimal
    moment: datetime
    parts: tuple["Part", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """A row of every type of column."""

    name: str
    number: int
    is_true: bool
    fraction: Decimal
    day: date
    moment: datetime
    nothing: str | None
    part: Part
    parts: tuple[Part, ...]
    texts: Mapping[str, str | int | None]
    no_part: Part | None


def load(
    connection: psycopg.Connection[Any], table: Table, *keys: str
) -> dict[Any, Any]:
    return table.loaded(table.load(keys).send(connection))


def test_a_row_of_every_type_comes_back_as_it_was(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute("CREATE SCHEMA readmodels")
    table = Table("everything", Everything, "name")
    table.create(connection)
    part = Part(
        amount=Decimal("0.0500"),
        moment=datetime.fromisoformat("1996-07-04T12:30:00.123456+00:00"),
    )
    row = Everything(
        name="RETRO-CLOCK",
        number=2**62,
        is_true=True,
        fraction=Decimal("0.0500"),
        day=date(1996, 7, 4),
        moment=datetime.fromisoformat("1996-07-04T12:30:00+00:00"),
        nothing=None,
        part=part,
        parts=(part, replace(part, parts=(part,))),
        texts={"a": "b\n\"'\\", "é": 1, "n": None},
        no_part=None,
    )
    send_all(connection, table.store({"RETRO-CLOCK": row}))

    assert load(connection, table, "RETRO-CLOCK") == {"RETRO-CLOCK": row}


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    name: str


def test_a_table_may_have_a_key_and_nothing_else(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute("CREATE SCHEMA readmodels")
    table = Table("names", Name, "name")
    table.create(connection)
    for _ in range(2):
        send_all(connection, table.store({"RETRO-CLOCK": Name(name="RETRO-CLOCK")}))

    assert load(connection, table, "RETRO-CLOCK", "LAMP") == {
        "RETRO-CLOCK": Name(name="RETRO-CLOCK")
    }


def test_a_field_that_may_not_be_unknown_is_not_null(read_model: Engine) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation):
        read_model.connection.execute("INSERT INTO readmodels.totals_g1 VALUES ('x')")


def test_what_cannot_be_written_stops_the_projection_at_its_event(
    read_model: Engine,
) -> None:
    """A fold that gives a row of another type than it says is a bug, and is told."""

    def bent(row: Total | None, fact: Fact, looked_up: LookedUp) -> Any:
        after = total(row, fact, looked_up)
        if after is None or fact.position != 2:
            return after
        return replace(after, clock=object())  # type: ignore[arg-type]

    write(read_model, ("lamp", 5), ("radio", 7), ("lamp", 9))
    subscription = subscription_of(replace(totals, fold=bent), 1)
    stopped = catch_up(read_model.connection, subscription)

    assert (stopped.checkpoint, stopped.stopped_at) == (1, 2)
    assert rows(read_model) == [("lamp", 5, None)]


@pytest.mark.parametrize(
    "name", ["order_list_g2", "order_list_g2_x", "Order", "a" * 31, "", "1st", "a-b"]
)
def test_a_read_model_may_not_be_called_like_anothers_table(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        replace(totals, name=name)


def test_a_field_of_two_types_is_refused() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Either:
        name: int | str

    with pytest.raises(TypeError, match="one type"):
        Table("either", Either, "name")
