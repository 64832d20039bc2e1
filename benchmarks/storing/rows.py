"""Rows of the three read models that the stores have, without the events of each."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.searched_rows import a_customer, an_order
from domain.address import Address
from eventstore.projections.following import follow
from eventstore.projections.generations import make_first_generation
from eventstore.projections.projection import Projection, Row
from eventstore.projections.tables import tables_of
from eventstore.steps import send_all
from readmodels import ALL, customers, order_details, order_list
from readmodels.order_details import OrderDetailsView
from readmodels.order_parts import HistoryLine, Line, Parcel, Payment
from readmodels.order_summary import OrderSummaryRow

ORDERS_EACH = 13
"""So many orders a customer has."""
MODELS = (customers.projection, order_list.projection, order_details.projection)
CAUSE = UUID(int=7)


def fill(connection: psycopg.Connection[Any], count: int) -> None:
    """Make all read models, and *count* orders in those that the stores have."""
    for projection in ALL:
        with connection.transaction():
            make_first_generation(connection, projection)
    known = [a_customer(n) for n in range(1, count // ORDERS_EACH + 2)]
    store_all(connection, customers.projection, known)
    store_all(connection, order_list.projection, orders(count, known))
    details = (details_of(row) for row in orders(count, known))
    store_all(connection, order_details.projection, details)
    for projection in MODELS:
        with connection.transaction():
            follow(connection, projection)
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")


def orders(count: int, known: list[customers.CustomerRow]) -> Iterator[OrderSummaryRow]:
    for n in range(1, count + 1):
        yield an_order(n, known[n * 104_729 % len(known)])


def store_all(
    connection: psycopg.Connection[Any], projection: Projection, rows: Iterable[Row]
) -> None:
    """Write rows past the triggers that keep others out, the indexes at the end."""
    table = tables_of(projection, 1).rows
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'readmodels'"
        " AND tablename = %s AND indexname <> %s",
        (table.name, f"{table.name}_pkey"),
    ).fetchall()
    connection.execute("SET session_replication_role = replica")
    for name, _ in indexes:
        connection.execute(f'DROP INDEX readmodels."{name}"'.encode())
    rest = iter(rows)
    while some := list(islice(rest, 5_000)):
        send_all(connection, table.store({getattr(r, table.key): r for r in some}))
    for _, definition in indexes:
        connection.execute(definition.encode())
    connection.execute("SET session_replication_role = origin")


def details_of(row: OrderSummaryRow) -> OrderDetailsView:
    """Return the order in full: a line for each product, an event for each step."""
    shared = {field.name for field in fields(row)} & {
        field.name for field in fields(OrderDetailsView)
    }
    is_paid = row.status in ("paid", "shipped", "delivered")
    is_sent = row.status in ("shipped", "delivered")
    happened = ["OrderCreated", *["PaymentReceived"] * is_paid]
    happened += ["OrderShipped"] * is_sent
    lines = tuple(
        Line(
            number=place,
            product=name,
            product_id=name[:12].upper(),
            quantity=1 + (row.order_id + place) % 9,
            shipped=1 + (row.order_id + place) % 9 if is_sent else 0,
            returned=0,
            unit_price=1_850,
            discount=Decimal(0),
            amount=1_850,
        )
        for place, name in enumerate(row.products, 1)
    )
    return OrderDetailsView(
        **{name: getattr(row, name) for name in shared},
        version=len(happened),
        lines=lines,
        gross=row.total,
        discount=Decimal(0),
        freight=0,
        carriage=None,
        payments=tuple(
            Payment(payment=1, amount=row.total, received_at=row.created_at)
            for _ in range(is_paid)
        ),
        address=Address(street="7 Orchard Terrace", city=row.city or "", country="UK"),
        put_off_until=None,
        parcels=tuple(
            Parcel(
                parcel=1,
                tracking_number=row.tracking_number,
                shipped_at=row.created_at,
                lines=(),
            )
            for _ in range(is_sent)
        ),
        notes=(),
        paid_at=row.created_at + timedelta(hours=3) if is_paid else None,
        shipped_at=row.created_at + timedelta(days=1) if is_sent else None,
        delivered_at=None,
        returned_at=None,
        cancelled_at=None,
        history=tuple(
            HistoryLine(
                event=event,
                version=version,
                position=0,
                occurred_at=row.created_at,
                actor="local",
                command_id=None,
                causation_id=CAUSE,
                source=None,
                told={},
            )
            for version, event in enumerate(happened, 1)
        ),
    )
