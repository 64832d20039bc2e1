"""Customers and orders of the shop, as long as a benchmark wants them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg

from domain.address import Address
from domain.customers.commands import ChangeCustomerDetails, RegisterCustomer
from domain.orders.events import OrderCreated
from domain.orders.lines import Line
from eventstore.aggregates.command_handler import handle
from eventstore.aggregates.decider import Deciders
from eventstore.aggregates.loading import load, snapshots_of
from eventstore.aggregates.snapshots import keep
from eventstore.log.events import Metadata, RecordedEvent
from eventstore.personal.keyring import Keyring

HOME = Address(street="12 Orchestra Terrace", city="London", country="UK")
ORDER = OrderCreated(
    customer_id="ALICE",
    items=tuple(
        Line(number=number, product="CLOCK", quantity=2, unit_price=4950)
        for number in (1, 2, 3)
    ),
    discount=Decimal(0),
    freight=0,
    total=29_700,
    terms=None,
    address=HOME,
    currency="EUR",
)


def recorded(event: Any, schema: str) -> RecordedEvent:
    cause = uuid4()
    metadata = Metadata(
        event_id=uuid4(),
        correlation_id=cause,
        causation_id=cause,
        command_id=cause,
        schema=schema,
        actor="local",
    )
    # As PostgreSQL writes it: with a blank behind the colon.
    written = msgspec.json.format(msgspec.json.encode(metadata), indent=0)
    return RecordedEvent(
        position=1,
        stream_id="order-1",
        type="OrderCreated",
        version=1,
        data=msgspec.json.encode(event)
        .decode()
        .replace('"discount":0,', '"discount":"0",'),
        metadata=written.decode(),
        occurred_at=datetime.now(UTC),
    )


def as_of_version_1(event: RecordedEvent) -> RecordedEvent:
    data = msgspec.json.decode(event.data)
    for later in ("discount", "terms"):
        del data[later]
    data["freight"] = data.pop("carriage")
    for item in data["items"]:
        del item["number"]
    return event._replace(
        data=msgspec.json.encode(data).decode(),
        metadata=event.metadata.replace('"3.0"', '"1.0"'),
    )


def register(
    connection: psycopg.Connection[Any], deciders: Deciders, customer: str
) -> None:
    command = RegisterCustomer(
        customer_id=customer,
        name="Alice",
        email=f"{customer}@example.com",
        contact_name="Alice Liddell",
        address=HOME,
    )
    outcome = handle(connection, command, deciders=deciders, actor="benchmark")
    assert outcome.status == "succeeded", outcome


def change(
    connection: psycopg.Connection[Any], deciders: Deciders, stream_id: str
) -> None:
    command = ChangeCustomerDetails(
        customer_id=stream_id.removeprefix("customer-"),
        name=f"Alice {uuid4()}",
        address=HOME,
    )
    outcome = handle(connection, command, deciders=deciders, actor="benchmark")
    assert outcome.status == "succeeded", outcome


def grow(
    connection: psycopg.Connection[Any], deciders: Deciders, customer: str, length: int
) -> None:
    register(connection, deciders, customer)
    for _ in range(length - 1):
        change(connection, deciders, f"customer-{customer}")


def a_customer(
    connection: psycopg.Connection[Any], deciders: Deciders, length: int
) -> str:
    """Make two customers of so many events, of which the first has a snapshot."""
    customer = f"s{uuid4().hex[:10]}"
    for name in (customer, f"{customer}b"):
        grow(connection, deciders, name, length)
    take(connection, deciders, f"customer-{customer}")
    return f"customer-{customer}"


def an_order(
    connection: psycopg.Connection[Any], deciders: Deciders, length: int
) -> str:
    order = f"order-{UUID(int=uuid4().int)}"
    for stream_id in (order, f"{order}b"):
        connection.execute(
            """
            INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
            SELECT %(stream)s,
                CASE i WHEN 1 THEN 'OrderCreated' ELSE 'OrderShipped' END, i,
                CASE i WHEN 1 THEN %(data)s::jsonb ELSE '{"tracking_no": "1Z9"}' END,
                jsonb_build_object('event_id', gen_random_uuid(), 'schema',
                    CASE i WHEN 1 THEN '3.0' ELSE '1.0' END),
                now()
            FROM generate_series(1, %(length)s) AS i
            """,
            {
                "stream": stream_id,
                "data": recorded(ORDER, "3.0").data,
                "length": length,
            },
        )
    take(connection, deciders, order)
    return order


def take(
    connection: psycopg.Connection[Any], deciders: Deciders, stream_id: str
) -> None:
    streams = load(connection, [stream_id], deciders)
    keyring = Keyring(connection, deciders.masters)
    keep(connection, snapshots_of(streams.versions, streams, deciders, keyring))
