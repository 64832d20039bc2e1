"""Commands that wait in the journal, and such as are finished."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.commanding.desk import Desk
from domain.accounts.commands import Deposit, OpenAccount
from domain.address import Address
from domain.customers.commands import RegisterCustomer
from domain.orders.commands import Item, PlaceOrder
from eventstore.journal.accept import accept_many, prepare
from tasks import commands

CUSTOMER = "ALICE"
HOT = "HOT"
ORDER = PlaceOrder(
    customer_id=CUSTOMER,
    items=(Item(product="RETRO-CLOCK", quantity=2, unit_price=4_950),),
    address=Address(street="1 Retro Road", city="Bergen", country="Norway"),
    currency="EUR",
)


def place_order() -> PlaceOrder:
    """The dearest of the shop: it reads the customer, and has a personal field."""
    return ORDER


def open_account() -> OpenAccount:
    """One that reads nothing else and has nothing personal."""
    return OpenAccount(account_id=uuid.uuid4().hex, currency="EUR")


def deposit() -> Deposit:
    """All of them go to one stream."""
    return Deposit(account_id=HOT, amount=100)


KINDS: dict[str, Callable[[], Any]] = {
    "OpenAccount": open_account,
    "PlaceOrder": place_order,
}
"""Commands that have a stream each, by name."""


def open_the_shop(desk: Desk) -> None:
    """Register the customer who orders, and open the account that is paid into."""
    desk.use()
    wanted = [
        RegisterCustomer(customer_id=CUSTOMER, name="Alice"),
        OpenAccount(account_id=HOT, currency="EUR"),
    ]
    commands.run(desk.shop, fill(desk, wanted))


def fill(desk: Desk, wanted: Sequence[Any]) -> list[UUID]:
    """Accept *wanted* as the API does, in sets, without messages; return their ids."""
    shop = desk.shop
    ready = [
        prepare(
            command,
            decider=shop.deciders.of_command(type(command)),
            principal="local",
            key=uuid.uuid4().hex,
            secret=shop.settings.secret_key.encode(),
            masters=shop.deciders.masters,
        )
        for command in wanted
    ]
    with shop.lent() as connection:
        for start in range(0, len(ready), 500):
            accept_many(connection, ready[start : start + 500])
    return [one.command_id for one in ready]


FINISHED = """
    INSERT INTO public.commands (
        id, stream_id, type, data, metadata, principal, fingerprint, status,
        started_at, attempts, ran_by, finished_at, position
    )
    SELECT
        md5(i::text)::uuid, 'account-old' || i, 'OpenAccount',
        jsonb_build_object('account_id', 'old' || i, 'currency', 'EUR'),
        jsonb_build_object('correlation_id', md5(i::text)::uuid, 'actor', 'local'),
        'local', decode(md5(i::text) || md5(i::text), 'hex'), 'succeeded',
        clock_timestamp(), 1, 'worker:made:1', clock_timestamp(), i
    FROM generate_series(1, {count}) AS i;

    INSERT INTO public.events (stream_id, type, version, data, metadata, occurred_at)
    SELECT
        'account-old' || i, 'AccountOpened', 1, '{{"currency": "EUR"}}',
        jsonb_build_object(
            'event_id', gen_random_uuid(), 'correlation_id', md5(i::text)::uuid,
            'causation_id', md5(i::text)::uuid, 'command_id', md5(i::text)::uuid,
            'schema', '1.0', 'actor', 'local', 'recorded_at', clock_timestamp()
        ),
        clock_timestamp()
    FROM generate_series(1, {count}) AS i;
"""


def fill_finished(connection: psycopg.Connection[Any], count: int) -> None:
    """Let so many commands be finished already, each with its event."""
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(FINISHED.format(count=count).encode())
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")
