"""`reporting.order_as_of` gives what loading the stream gives, at any moment."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec
import psycopg
import pytest
import sqlalchemy as sa

from domain.forgotten import FORGOTTEN
from domain.orders.state import Order
from eventstore.aggregates.as_of import AsOf, load_as_of, read_as_of
from eventstore.errors import VersionsMissing
from eventstore.errors.unreadable import NewerSchema, UnreadableEvent
from eventstore.projections.projection import Fact
from readmodels.order_details import OrderDetailsView, fold, projection
from readmodels.rows_of_orders import CustomerName
from tasks import catch_up
from tasks.shop import wiring
from tasks.shop.deciders import ORDERS
from tasks.shop.wiring import Shop
from tests.generated.history import HISTORY
from tests.support import northwind
from tests.support.histories import run_import
from tests.support.order_histories import BEGIN, OrderHistories

MOMENTS = 500
LATER = datetime(9999, 1, 1, tzinfo=UTC)
PERSONAL = ("customer_name", "customer_email", "address", "notes")
COLUMNS = tuple(
    field.name for field in fields(OrderDetailsView) if field.name != "history"
)


class Moment(NamedTuple):
    """An order, and when it is looked at."""

    number: int
    at: datetime


def moments(connection: psycopg.Connection[Any], seed: int) -> list[Moment]:
    """Return moments at, just before and just after events, and between them."""
    random = Random(seed)
    rows = connection.execute(
        """
        SELECT substr(stream_id, 7)::bigint, occurred_at FROM events
        WHERE stream_id LIKE 'order-%' ORDER BY id
        """
    ).fetchall()
    chosen = {Moment(999_999_999, rows[0][1])}
    while len(chosen) < MOMENTS:
        number, at = random.choice(rows)
        apart = random.choice([0, 0, -1, 1, random.randrange(-(10**10), 10**12)])
        chosen.add(Moment(number, at + timedelta(microseconds=apart)))
    return sorted(chosen)


def ask(
    connection: psycopg.Connection[Any], asked: Sequence[Moment]
) -> dict[Moment, dict[str, Any]]:
    """Return the rows of all moments by one statement; what did not exist has none."""
    cursor = connection.execute(
        f"""
        SELECT a.number, a.at, {", ".join(f"o.{name}" for name in COLUMNS)}
        FROM unnest(%s::bigint[], %s::timestamptz[]) AS a (number, at)
        CROSS JOIN LATERAL reporting.order_as_of(a.number, a.at) AS o
        """,
        ([a.number for a in asked], [a.at for a in asked]),
    )
    return {
        Moment(number, at): dict(zip(COLUMNS, row, strict=True))
        for number, at, *row in cursor
    }


def state_in(row: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what a row of the function tells of an Order's fields."""
    return (
        *(row[name] for name in ("status", "total", "paid", "refunded")),
        *(row[name] for name in ("due", "credit", "customer_id", "currency")),
        *(row[name] for name in ("discount", "freight", "terms", "put_off_until")),
        *(row[name] for name in ("created_at", "shipped_at")),
        [tuple(line[name] for name in OF_LINES) for line in row["lines"]],
        [(one["amount"], one["voided_at"] is not None) for one in row["payments"]],
        [parcel["tracking_number"] for parcel in row["parcels"]],
    )


OF_LINES = ("number", "product", "quantity", "unit_price", "shipped", "returned")


def state_of(order: Order) -> tuple[object, ...]:
    standing = order.standing
    return (
        *(standing.status.value, standing.total, standing.paid, standing.refunded),
        *(standing.due, standing.credit, order.customer_id, order.currency),
        *(order.discount, order.freight, order.terms, order.put_off_until),
        *(order.placed_at, order.shipped_at),
        [
            (
                *(getattr(state.line, name) for name in OF_LINES[:4]),
                *(state.shipped, state.returned),
            )
            for state in order.lines
        ],
        [(payment.amount, payment.is_void) for payment in order.payments],
        list(order.parcels),
    )


def check_states(shop: Shop, connection: psycopg.Connection[Any], seed: int) -> int:
    """Hold the function against loading; return how many of the orders existed."""
    asked = moments(connection, seed)
    found = ask(connection, asked)
    for moment in asked:
        stream_id = f"order-{moment.number}"
        past = load_as_of(connection, [stream_id], shop.deciders, AsOf(at=moment.at))
        version, row = past.versions[stream_id], found.get(moment)
        assert (row or {"version": 0})["version"] == version, moment
        if row is not None:
            assert state_in(row) == state_of(past.states[stream_id]), moment
            assert [row[name] for name in PERSONAL] == [None] * len(PERSONAL)
    return len(found)


def test_an_order_is_at_any_moment_what_loading_its_stream_gives(shop: Shop) -> None:
    with shop.lent() as connection:
        OrderHistories.of(1).append(connection, 120)
        existed = check_states(shop, connection, 2)

    print(f"{existed} of {MOMENTS} existed")
    assert 300 < existed < MOMENTS


@pytest.mark.skipif(
    not northwind.is_there(),
    reason="needs Northwind's CSV files: set NORTHWIND_DIR to their folder",
)
def test_an_order_of_a_real_shop_is_what_loading_its_stream_gives(shop: Shop) -> None:
    shop.settings = replace(shop.settings, currency="USD")
    wiring.use(shop)
    imported = run_import(northwind.folder(), currency="USD")
    assert imported.exit_code == 0, imported.output

    catch_up.run(shop)
    with shop.lent() as connection:
        existed = check_states(shop, connection, 3)
        differing = connection.execute(
            f"""
            SELECT d.order_id FROM readmodels.order_details AS d
            CROSS JOIN LATERAL reporting.order_as_of(d.order_id, 'infinity') AS o
            WHERE ({", ".join(f"d.{name}" for name in told_in_sql())})
                IS DISTINCT FROM ({", ".join(f"o.{name}" for name in told_in_sql())})
            """
        ).fetchall()
        orders = connection.execute("SELECT FROM readmodels.order_details").rowcount

    assert 300 < existed < MOMENTS
    assert (orders, differing) == (830, [])


def told_in_sql() -> list[str]:
    return [name for name in COLUMNS if name not in PERSONAL]


def test_every_column_is_as_in_the_details_of_an_order(shop: Shop) -> None:
    """But for what is personal; its lines add up by the same rule."""
    with shop.lent() as connection:
        OrderHistories.of(4).append(connection, 40)
        asked = moments(connection, 5)[::5]
        for moment, row in ask(connection, asked).items():
            wanted = details(connection, moment)
            made = {
                **row,
                **{name: getattr(wanted, name) for name in PERSONAL},
                "history": wanted.history,
            }
            assert msgspec.convert(made, OrderDetailsView) == wanted, moment


def details(connection: psycopg.Connection[Any], moment: Moment) -> OrderDetailsView:
    """Fold the events up to then as the read model does."""
    row = None
    for event in read_as_of(connection, f"order-{moment.number}", AsOf(at=moment.at)):
        (fact,) = projection.codec.read(event)
        place = Fact(
            fact,
            event.stream_id,
            event.position,
            event.version,
            event.occurred_at,
            event.metadata,
        )
        customer = CustomerName(customer_id="17", name=FORGOTTEN, email=None)
        row = fold(row, place, {"customers": customer})
    assert row is not None
    return row


FILES = [
    file
    for file in sorted(HISTORY.glob("*.json"))
    if file.stem.partition("-")[0] in ORDERS.events.types
]


def test_every_version_of_every_event_of_an_order_is_read(shop: Shop) -> None:
    """A new one, or a new version, has a file here that the function must know."""
    names = {number: file.stem for number, file in enumerate(FILES, 1)}
    with shop.lent() as connection:
        for number, file in enumerate(FILES, 1):
            event = read(file)
            before = [] if event["type"] == "OrderCreated" else list(what_came_before())
            for version, part in enumerate([*before, event], 1):
                insert(connection, number, version, part)
        found = ask(connection, [Moment(number, LATER) for number in names])
        rows = {names[moment.number]: row for moment, row in found.items()}
        for number, name in names.items():
            # Of these, nobody here has the key.
            if not name.endswith("-encrypted"):
                stream_id = f"order-{number}"
                past = load_as_of(connection, [stream_id], shop.deciders, AsOf())
                assert state_in(rows[name]) == state_of(past.states[stream_id]), name

    assert set(rows) == set(names.values())
    assert rows["OrderCreated-1.0"]["discount"] == 0
    encrypted = [name for name in rows if name.endswith("-encrypted")]
    assert len(encrypted) >= 4
    for name in encrypted:
        other = {**rows[name], "order_id": None}
        assert other == {**rows[name.removesuffix("-encrypted")], "order_id": None}
        assert [other[column] for column in PERSONAL] == [None] * len(PERSONAL)


def what_came_before() -> Iterator[dict[str, Any]]:
    """Yield the events of an order that has what the samples name by a 7."""
    yield read(HISTORY / "OrderCreated-3.0.json")
    for number in range(1, 8):
        paid = read(HISTORY / "PaymentReceived-2.0.json")
        yield {**paid, "data": {**paid["data"], "payment": number}}
        shipped = read(HISTORY / "ParcelShipped-1.0.json")
        lines = [{"line": 7, "quantity": 1}]
        yield {**shipped, "data": {**shipped["data"], "lines": lines}}


def read(file: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(file.read_text())
    return event


def insert(
    connection: psycopg.Connection[Any],
    number: int,
    version: int,
    event: Mapping[str, Any],
) -> None:
    """Write an event as it is, past the function that appends."""
    connection.execute(
        """
        INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
        VALUES (%s, %s, %s, %s, %s, '2026-01-01Z')
        """,
        (
            f"order-{number}",
            event["type"],
            version,
            json.dumps(event["data"]),
            json.dumps(event["metadata"]),
        ),
    )


CREATED = read(HISTORY / "OrderCreated-2.0.json")
PAID = read(HISTORY / "PaymentReceived-1.0.json")
NEWER = {**PAID, "metadata": {**PAID["metadata"], "schema": "9.0"}}
UNREADABLE = {**PAID, "metadata": {**PAID["metadata"], "schema": "new"}}


@pytest.mark.parametrize(
    ("event", "version", "error", "words"),
    [
        (NEWER, 2, NewerSchema, "does not know PaymentReceived of schema version 9"),
        (UNREADABLE, 2, UnreadableEvent, "does not know PaymentReceived of schema"),
        (PAID, 3, VersionsMissing, "versions 2 to 2 of order-1 are missing"),
    ],
    ids=["newer", "unreadable", "a hole"],
)
def test_what_loading_refuses_is_refused(
    shop: Shop,
    event: Mapping[str, Any],
    version: int,
    error: type[Exception],
    words: str,
) -> None:
    with shop.lent() as connection:
        insert(connection, 1, 1, CREATED)
        insert(connection, 1, version, event)
        with pytest.raises(error):
            load_as_of(connection, ["order-1"], shop.deciders, AsOf(at=LATER))
        with pytest.raises(psycopg.DatabaseError, match=words):
            ask(connection, [Moment(1, LATER)])
        assert ask(connection, [Moment(1, BEGIN)]) == {}


def test_a_state_that_is_not_asked_for_is_none(shop: Shop) -> None:
    with shop.engine.connect() as connection:
        for arguments in ("NULL, now()", "1, NULL", "1, now()"):
            query = sa.text(f"SELECT * FROM reporting.order_as_of({arguments})")
            assert connection.execute(query).all() == []
