"""
What filters over documents cost PostgreSQL, with the index of the lines and without.

    .venv/bin/python -m benchmarks.documents --orders 100000
    .venv/bin/python -m benchmarks.documents --orders 2000 --store mongodb://127.0.0.1/

It brings a PostgreSQL of its own and fills the table of orders with invented ones. Each
statement is run by EXPLAIN (ANALYZE, BUFFERS): the milliseconds are those of planning
and execution, as medians, with nothing of the client's. With --store the same is asked
of MongoDB or FerretDB, as its client sees it, and how many rows a second it takes.
"""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from statistics import median
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa

from benchmarks.fencing.cluster import running
from benchmarks.searching import TUNING, Find, cost_of, table_of
from domain.address import Address
from eventstore.projections.changes import RowChange
from eventstore.projections.projection import Key, Row
from eventstore.projections.table import Table
from eventstore.steps import send_all
from eventstore.stores.row_store import Copy, Shelf
from readmodels.order_details import OrderDetailsView
from readmodels.order_parts import HistoryLine, Line, Parcel, Payment
from readmodels.stores.documents import on_postgres
from readmodels.stores.documents.document_types import ORDERS
from readmodels.stores.documents.filters import read_filter
from readmodels.stores.documents.queries import Documents
from readmodels.stores.documents.store import DocumentStore

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
STEPS = ("OrderCreated", "PaymentReceived", "OrderShipped", "DeliveryConfirmed")
STATUSES = ("pending", "paid", "shipped", "delivered")
PRODUCTS = 2_000
QUESTIONS: dict[str, list[tuple[str, str]]] = {
    "all, newest first": [],
    "a frequent product": [("lines.product", "Product 1")],
    "a rare product": [("lines.product", "Product 1999")],
    "a product that nobody ordered": [("lines.product", "Nothing")],
    "a rare product, ten of it": [
        ("lines:a.product", "Product 1999"),
        ("lines:a.quantity.gte", "10"),
    ],
    "two products": [
        ("lines:a.product", "Product 1"),
        ("lines:b.product", "Product 77"),
    ],
    "some product of three": [
        ("lines.product.in", "Product 1997,Product 1998,Product 1999")
    ],
    "lines with a high quantity": [("lines.quantity.gte", "50")],
    "lines with a quantity that none has": [("lines.quantity.gte", "5000")],
    "a city": [("address.city", "City 7")],
    "a city that is nowhere": [("address.city", "Nowhere")],
    "shipped on a day": [
        ("history:a.event", "OrderShipped"),
        ("history:a.occurred_at.gte", "2020-03-01T00:00:00Z"),
        ("history:a.occurred_at.lt", "2020-03-02T00:00:00Z"),
    ],
    "paid, dear, of a city": [
        ("status", "paid"),
        ("total.gte", "100000"),
        ("address.city", "City 7"),
    ],
    "of a customer, with a product": [
        ("customer_id", "C77"),
        ("lines.product", "Product 1"),
    ],
    "part of a product's name": [("lines.product.contains", "t 199")],
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="documents", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", help="the URL of MongoDB or FerretDB")
    options = parser.parse_args()
    if options.store:
        measure_store(options.store, options.orders, options.rounds)
        return
    with running(TUNING) as cluster:
        with cluster.connect() as connection:
            fill(connection, options.orders)
            rows, index = sizes(connection)
            print(f"{options.orders:,} orders, of {rows:,} bytes, in the index {index}")
        measure(cluster.url, options.rounds)
        with cluster.connect() as connection:
            connection.execute("DROP INDEX readmodels.order_details_g1_lines_idx")
        print("without the index of the lines")
        measure(cluster.url, options.rounds)


def fill(connection: psycopg.Connection[Any], count: int) -> None:
    chance = Random(1)
    connection.execute("CREATE SCHEMA readmodels")
    table: Table = table_of(connection, ORDERS.projection)
    for first in range(1, count + 1, 1_000):
        numbers = range(first, min(first + 1_000, count + 1))
        rows: dict[Key, Row] = {
            number: an_order(number, count // 13, chance) for number in numbers
        }
        send_all(connection, table.store(rows))
    table.create_indexes(connection)
    connection.execute("VACUUM ANALYZE")


def an_order(number: int, customers: int, chance: Random) -> OrderDetailsView:
    placed = BEGIN + timedelta(minutes=9 * number)
    steps = chance.randrange(1, 5)
    lines = tuple(a_line(place, chance) for place in range(1, chance.randrange(2, 7)))
    total = sum(line.amount for line in lines)
    customer = chance.randrange(customers)
    history = tuple(
        HistoryLine(
            event=step,
            version=version,
            position=number * 4 + version,
            occurred_at=placed + timedelta(days=version - 1),
            actor="local",
            command_id=UUID(int=chance.getrandbits(128)),
            causation_id=UUID(int=chance.getrandbits(128)),
            source=None,
            told={"amount": total},
        )
        for version, step in enumerate(STEPS[:steps], 1)
    )
    return OrderDetailsView(
        order_id=number,
        version=steps,
        customer_id=f"C{customer}",
        customer_name=f"Customer {customer}",
        customer_email=f"c{customer}@example.com",
        status=STATUSES[steps - 1],
        currency="EUR",
        lines=lines,
        gross=total,
        discount=Decimal(0),
        total=total,
        freight=0,
        carriage=None,
        paid=total if steps > 1 else 0,
        refunded=0,
        due=0 if steps > 1 else total,
        credit=0,
        terms=None,
        payments=tuple(
            Payment(payment=1, amount=total, received_at=placed)
            for _ in range(steps > 1)
        ),
        address=Address(
            street=f"{number} Retro Road",
            city=f"City {chance.randrange(500)}",
            country="Norway",
        ),
        required_date=None,
        put_off_until=None,
        parcels=tuple(
            Parcel(parcel=1, tracking_number=f"JD{number}", shipped_at=placed, lines=())
            for _ in range(steps > 2)
        ),
        notes=(),
        tracking_number=f"JD{number}" if steps > 2 else None,
        created_at=placed,
        paid_at=history[1].occurred_at if steps > 1 else None,
        shipped_at=history[2].occurred_at if steps > 2 else None,
        delivered_at=history[3].occurred_at if steps > 3 else None,
        returned_at=None,
        cancelled_at=None,
        history=history,
    )


def a_line(number: int, chance: Random) -> Line:
    # Few products are ordered often, and many seldom.
    product = int(PRODUCTS * chance.random() ** 3)
    quantity = chance.randrange(1, 60)
    price = 100 + 7 * product
    return Line(
        number=number,
        product=f"Product {product}",
        product_id=str(product),
        quantity=quantity,
        shipped=0,
        returned=0,
        unit_price=price,
        discount=Decimal(0),
        amount=quantity * price,
    )


def sizes(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """Return how many bytes an order has in the table, and in the index."""
    (found,) = connection.execute(
        """
        SELECT
            pg_table_size('readmodels.order_details_g1') / count(*),
            pg_relation_size('readmodels.order_details_g1_lines_idx') / count(*)
        FROM readmodels.order_details
        """
    ).fetchall()
    return found[0], found[1]


def measure(url: str, rounds: int) -> None:
    """Print what each question costs."""
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        for label, ask in questions():
            cost = cost_of(connection, ask, rounds)
            print(
                f"{label:52} {cost.milliseconds:8.1f} ms {cost.buffers:8,} pages",
                flush=True,
            )
    engine.dispose()


def questions() -> Iterator[tuple[str, Find]]:
    """Yield each question with what is printed before its cost."""
    for label, asked in QUESTIONS.items():
        for sort in ("-order_id", "-total"):
            yield (
                f"{sort}: {label}",
                partial(
                    on_postgres.find,
                    documents=ORDERS,
                    filter_=read_filter(ORDERS.fields, asked),
                    sort=sort,
                    after=None,
                    limit=50,
                ),
            )


def measure_store(url: str, count: int, rounds: int) -> None:
    """Print how fast a store is written and asked; it has nothing of it afterwards."""
    store = DocumentStore(url, "benchmark")
    copy = Copy(
        read_model=ORDERS.projection.name,
        epoch="0" * 8,
        generation=1,
        shape=store.shape_of(ORDERS.projection),
        number=1,
    )
    chance = Random(1)
    orders = [an_order(number, count // 13, chance) for number in range(1, count + 1)]
    store.make(copy)
    store.save_shelf(copy.read_model, Shelf(serving=copy), 1)
    for label in ("new", "changed"):
        start = time.perf_counter()
        for first in range(0, count, 1_000):
            some = orders[first : first + 1_000]
            changes = [RowChange(order.order_id, 1, 1, order) for order in some]
            assert not store.write(copy, changes, 1)
        seconds = time.perf_counter() - start
        print(f"{count / seconds:,.0f} {label} rows a second")
    documents = Documents(store, seconds=60)
    for label, asked in QUESTIONS.items():
        filter_ = read_filter(ORDERS.fields, asked)
        for sort in ("-order_id", "-total"):
            taken = []
            for _ in range(rounds):
                start = time.perf_counter()
                found = documents.find(ORDERS, filter_, sort=sort, after=None, limit=50)
                taken.append((time.perf_counter() - start) * 1_000)
            cost = f"{median(taken):8.1f} ms" if found else "PostgreSQL's"
            print(f"{f'{sort}: {label}':52} {cost}", flush=True)
    store.drop(copy)
    documents.close()
    store.close()


if __name__ == "__main__":
    main()
