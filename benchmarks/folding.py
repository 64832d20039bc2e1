"""
What the read models cost, beside a fold of the list of orders that is written by hand.

    .venv/bin/python -m benchmarks.folding --orders 20000 --rounds 3

It brings a PostgreSQL of its own with the events of that many orders, in the clear. The
rates are events for each second of processor, of this process and of its backend in
PostgreSQL together; in each round all take their turn.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import psycopg

from benchmarks.fencing.cluster import running
from benchmarks.parking import CUSTOMERS, PAID, SHIPPED, write
from domain.address import Address
from domain.customers.events import CustomerRegistered
from eventstore.projections.generations import drop_generation, make_tables, put_live
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.subscriptions.catch_up import catch_up
from eventstore.subscriptions.shared_pass import read_together
from readmodels import ALL, order_list
from readmodels.order_summary import MAX_PRODUCTS
from readmodels.row_words import (
    joined,
    words_of_customer,
    words_of_order,
    words_of_place,
)
from readmodels.words import words

BATCH = 500
TUNING = {"fsync": "on", "autovacuum": "off", "max_wal_size": "8GB"}
STATUS = {"PaymentReceived": "paid", "OrderShipped": "shipped"}
TICKS = os.sysconf("SC_CLK_TCK")

FIRST_NAMES = "Anna,Bernd,Clara,Dmitri,Elena,Farid,Greta,Hugo,Katharina,Oluwaseun"
LAST_NAMES = "Andersen,Bauer,Castellano,Fischer,Horvat,Lindqvist,Schumacher,Zimmermann"
CITIES = "Berlin,München,København,Łódź,Reykjavík,São Paulo,Rio de Janeiro,Stuttgart"
GOODS = (
    "Fountain pen fine nib,Sealing wax crimson,Gumbär Gummibärchen,Zaanse koeken,"
    "Northwoods Cranberry Sauce,Notebook A5 dotted,Röd Kaviar,Queso Manchego,Chai,"
    "Leather case for three pens,Envelopes lined with tissue,Tarte au sucre"
)
REGISTERED = f"""
    SELECT
        'customer-C' || n, 'CustomerRegistered', 1, '1.0',
        jsonb_build_object(
            'name', name, 'email', 'c' || n || '@example.com',
            'phone', '+49 30 ' || 100000 + n * 7919 % 899999
        )
    FROM generate_series(0, {{last}}) AS n
    CROSS JOIN LATERAL (SELECT
        (string_to_array('{FIRST_NAMES}', ','))[1 + n % 10] || ' '
        || (string_to_array('{LAST_NAMES}', ','))[1 + n % 8] AS name
    ) AS named
"""
CREATED = f"""
    SELECT
        'order-' || n, 'OrderCreated', 1, '3.0',
        jsonb_build_object(
            'customer_id', 'C' || n % {{customers}},
            'items', (
                SELECT jsonb_agg(jsonb_build_object(
                    'number', line + 1, 'product',
                    (string_to_array('{GOODS}', ','))[1 + (n + line * 5) % 12],
                    'quantity', 2, 'unit_price', 990, 'discount', '0'
                ))
                FROM generate_series(0, n % 3) AS line
            ),
            'discount', '0', 'freight', 0, 'total', 1980, 'terms', NULL,
            'currency', 'EUR', 'address',
            jsonb_build_object(
                'street', 'Road 1', 'country', 'Germany',
                'city', (string_to_array('{CITIES}', ','))[1 + n % 8]
            )
        )
    FROM generate_series({{first}}, {{last}}) AS n
"""
"""Customers and orders with names, places and one to three products, as people have."""

UPSERT = """
    INSERT INTO readmodels.by_hand SELECT * FROM json_populate_recordset(
        NULL::readmodels.by_hand, %s::text::json
    )
    ON CONFLICT (order_id) DO UPDATE SET
        status = EXCLUDED.status, paid = EXCLUDED.paid, due = EXCLUDED.due,
        parcels = EXCLUDED.parcels, tracking_number = EXCLUDED.tracking_number,
        tracking_numbers = EXCLUDED.tracking_numbers, order_words = EXCLUDED.order_words
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="folding", description=__doc__)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with running(TUNING) as cluster:
        cluster.install()
        with cluster.connect() as connection:
            fill(connection, options.orders)
            measure(connection, options.orders * 3 + CUSTOMERS, options.rounds)


def fill(connection: psycopg.Connection[Any], orders: int) -> None:
    write(connection, REGISTERED, last=CUSTOMERS - 1)
    write(connection, CREATED, first=1, last=orders, customers=CUSTOMERS)
    write(connection, PAID, first=1, last=orders)
    write(connection, SHIPPED, first=1, last=orders, every=orders + 1)
    connection.execute("VACUUM ANALYZE")


def measure(connection: psycopg.Connection[Any], events: int, rounds: int) -> None:
    ways: dict[str, Callable[[], None]] = {
        "by hand": lambda: fold_by_hand(connection, indexes=False),
        "order_list": lambda: read_one(connection, indexes=False),
        "by hand, all indexes": lambda: fold_by_hand(connection, indexes=True),
        "order_list, all indexes": lambda: read_one(connection, indexes=True),
        "each read model alone": lambda: read_each(connection),
        "all in shared passes": lambda: read_all_together(connection),
    }
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            connection.execute("DROP SCHEMA IF EXISTS readmodels CASCADE")
            connection.execute("DELETE FROM subscriptions")
            connection.execute("DELETE FROM generations")
            before = processor(connection)
            run()
            rates[way].append(events / (processor(connection) - before))
    for way, found in rates.items():
        print(f"{way:26} {median(found):8,.0f} events a second of processor")
    for one, other in (
        ("order_list", "by hand"),
        ("order_list, all indexes", "by hand, all indexes"),
        ("all in shared passes", "each read model alone"),
    ):
        ratios = [a / b for a, b in zip(rates[one], rates[other], strict=True)]
        print(f"{one} : {other} = {median(ratios):.2f}")


def processor(connection: psycopg.Connection[Any]) -> float:
    """Return the seconds of processor of this process and of its backend."""
    stat = Path(f"/proc/{connection.info.backend_pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return time.process_time() + (int(user) + int(system)) / TICKS


def make(
    connection: psycopg.Connection[Any], projection: Projection, *, indexes: bool
) -> None:
    drop_generation(connection, projection.name, 1)
    tables = make_tables(connection, projection, 1)
    tables.rows.create_indexes(connection, are_early=None if indexes else True)
    put_live(connection, projection, 1)


def read_one(connection: psycopg.Connection[Any], *, indexes: bool) -> None:
    make(connection, order_list.projection, indexes=indexes)
    reached = catch_up(connection, subscription_of(order_list.projection, 1))
    assert reached.error is None, reached


def read_each(connection: psycopg.Connection[Any]) -> None:
    for projection in ALL:
        make(connection, projection, indexes=True)
        reached = catch_up(connection, subscription_of(projection, 1))
        assert reached.error is None, reached


def read_all_together(connection: psycopg.Connection[Any]) -> None:
    for projection in ALL:
        make(connection, projection, indexes=True)
    subscriptions = [subscription_of(projection, 1) for projection in ALL]
    while True:
        done = read_together(connection, subscriptions, batch=BATCH)
        assert done.error is None, done
        if done.is_last:
            return


def fold_by_hand(connection: psycopg.Connection[Any], *, indexes: bool) -> None:
    """Make the same rows as `order_list`, with what this needs and nothing else."""
    make(connection, order_list.projection, indexes=indexes)
    connection.execute("DROP VIEW readmodels.order_list")
    connection.execute("ALTER TABLE readmodels.order_list_g1 RENAME TO by_hand")
    customers: dict[str, Any] = {}
    decode, encode = msgspec.json.decode, msgspec.json.encode
    place = 0
    while True:
        with connection.transaction():
            events = connection.execute(
                "SELECT id, stream_id, type, data::text, occurred_at FROM events"
                " WHERE id > %s ORDER BY id LIMIT %s",
                (place, BATCH),
            ).fetchall()
            if not events:
                return
            known = load_by_hand(connection, events)
            for place, stream_id, kind, data, at in events:  # noqa: B007
                number = stream_id.partition("-")[2]
                event = decode(data)
                if kind == "CustomerRegistered":
                    details = msgspec.convert(event, CustomerRegistered)
                    customers[number] = event
                    event["words"] = words_of_customer(number, details)
                elif kind == "OrderCreated":
                    customer = customers[event["customer_id"]]
                    known[int(number)] = new_row(number, event, customer, at)
                else:
                    row = known[int(number)]
                    row["status"] = STATUS[kind]
                    if kind == "PaymentReceived":
                        row["paid"] += event["amount"]
                        row["due"] -= event["amount"]
                    else:
                        row["tracking_number"] = event["tracking_no"]
                        row["tracking_numbers"] = [event["tracking_no"]]
                        row["parcels"] = 1
                        row["order_words"] = joined(
                            words(number, event["tracking_no"]), row["order_words"]
                        )
            if known:
                rows = encode(list(known.values())).decode()
                connection.execute(UPSERT, (rows,))


def load_by_hand(
    connection: psycopg.Connection[Any], events: Sequence[Any]
) -> dict[int, dict[str, Any]]:
    """Return the rows of orders that are not new, by number."""
    numbers = [
        int(stream_id.partition("-")[2])
        for _, stream_id, kind, *_ in events
        if kind in STATUS
    ]
    if not numbers:
        return {}
    cursor = connection.execute(
        "SELECT * FROM readmodels.by_hand WHERE order_id = ANY (%s)", (numbers,)
    )
    names = [column.name for column in cursor.description or ()]
    return {row[0]: dict(zip(names, row, strict=True)) for row in cursor}


def new_row(number: str, event: Any, customer: Any, at: Any) -> dict[str, Any]:
    address = msgspec.convert(event["address"], Address)
    products = list(dict.fromkeys(item["product"] for item in event["items"]))
    return {
        "order_id": int(number),
        "customer_id": event["customer_id"],
        "customer_name": customer["name"],
        "customer_email": customer["email"],
        "total": event["total"],
        "paid": 0,
        "refunded": 0,
        "due": event["total"],
        "credit": 0,
        "terms": event["terms"],
        "required_date": None,
        "parcels": 0,
        "tracking_numbers": [],
        "currency": event["currency"],
        "status": "pending",
        "item_count": len(event["items"]),
        "tracking_number": None,
        "created_at": at,
        "city": address.city,
        "products": products[:MAX_PRODUCTS],
        "customer_words": customer["words"],
        "place_words": words_of_place(address),
        "order_words": words_of_order(number, products),
    }


if __name__ == "__main__":
    main()
