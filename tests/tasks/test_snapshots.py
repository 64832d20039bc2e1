"""Snapshots of the shop: taken on beat, and saving what they are for."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from eventstore.aggregates import loading
from eventstore.aggregates.decider import Decider
from eventstore.aggregates.snapshots import count_snapshots
from eventstore.personal.keyring import Keyring
from eventstore.subscriptions.catch_up import CaughtUp
from eventstore.subscriptions.snapshot_taker import SnapshotPolicy
from tasks import catch_up, commands, snapshots
from tasks.accept import accept as accept_command
from tasks.app import app
from tasks.broker.queues import QUEUES
from tasks.schedule import entries
from tasks.shop.deciders import ACCOUNTS, CUSTOMERS, ORDERS, TRANSFERS
from tasks.shop.wiring import Shop
from tests.generated.history import sample
from tests.support.orders import ALICE, order_for
from tests.support.snapshots import keep_snapshot, returned_rows, row_of

STREAM = "customer-ALICE"


def accept(shop: Shop, name: str, data: Any, key: object) -> Any:
    """Accept a command as the web does, and return its id."""
    decider = shop.deciders.of_command(shop.commands[name])
    command = decider.read_command(shop.commands[name], data)
    return accept_command(shop, command, key=str(key), principal="local").command_id


def run(shop: Shop, name: str, data: Any, key: object) -> Any:
    command_id = accept(shop, name, data, key)
    commands.run(shop, [command_id])
    return command_id


def change_details(shop: Shop, times: Iterable[int]) -> None:
    """Change the customer's details again and again."""
    ids = [
        accept(shop, "ChangeCustomerDetails", {**ALICE, "phone": f"555-{n}"}, n)
        for n in times
    ]
    commands.run(shop, ids[:1])


def snapshot_versions(shop: Shop) -> dict[str, int]:
    with shop.engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT stream_id, version FROM snapshots"))
        return {row.stream_id: row.version for row in rows}


@pytest.fixture
def customer_of_523(shop: Shop) -> Shop:
    """A customer whose details changed 522 times, with a snapshot at 500."""
    run(shop, "RegisterCustomer", ALICE, "alice")
    change_details(shop, range(499))
    snapshots.run(shop)
    change_details(shop, range(499, 522))
    assert snapshot_versions(shop) == {STREAM: 500}
    return shop


def test_a_stream_of_523_events_is_loaded_with_the_23_behind_its_snapshot(
    customer_of_523: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = customer_of_523
    with shop.lent() as connection, returned_rows(monkeypatch) as rows:
        streams = loading.load(connection, [STREAM], shop.deciders)

    # The key is the customer's, to what is personal in them.
    assert rows == [{"snapshot": 1, "event": 23, "key": 1}]
    assert streams.versions == {STREAM: 523}
    assert streams.states[STREAM].details.phone == "555-521"


def test_a_stream_of_523_events_is_taken_with_the_23_behind_its_snapshot(
    customer_of_523: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = customer_of_523
    details = {**ALICE, "phone": "555-last"}
    command_id = accept(shop, "ChangeCustomerDetails", details, "last")
    with returned_rows(monkeypatch) as rows:
        commands.run(shop, [command_id])

    assert rows == [{"stream": 1, "command": 1, "snapshot": 1, "event": 23}]
    with shop.lent() as connection:
        streams = loading.load(connection, [STREAM], shop.deciders)
    assert streams.versions == {STREAM: 524}


def test_an_order_is_placed_with_what_the_snapshot_of_its_customer_says(
    customer_of_523: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = customer_of_523
    order = {**order_for(), "currency": "EUR"}
    with returned_rows(monkeypatch) as rows:
        run(shop, "PlaceOrder", order, "order")

    assert rows == [{"stream": 1, "command": 1}, {"snapshot": 1, "event": 23}]


def test_what_is_loaded_from_a_snapshot_is_what_a_full_replay_gives(
    customer_of_523: Shop,
) -> None:
    shop = customer_of_523
    with shop.lent() as connection:
        by_snapshot = loading.load(connection, [STREAM], shop.deciders)
        connection.execute("DELETE FROM snapshots")
        in_full = loading.load(connection, [STREAM], shop.deciders)

    assert by_snapshot == in_full


def test_the_first_tick_makes_the_subscription_and_begins_at_the_beginning(
    shop: Shop,
) -> None:
    run(shop, "RegisterCustomer", ALICE, "alice")

    assert snapshots.run(shop) == CaughtUp(checkpoint=1, handled=1)
    assert snapshots.run(shop) == CaughtUp(checkpoint=1, handled=0)


def test_the_settings_say_how_many_events_a_snapshot_is_worth(shop: Shop) -> None:
    shop.settings = replace(shop.settings, snapshot_policy=SnapshotPolicy(3))
    run(shop, "RegisterCustomer", ALICE, "alice")
    change_details(shop, range(2))
    run(shop, "PlaceOrder", {**order_for(), "currency": "EUR"}, "order")
    snapshots.run(shop)

    assert snapshot_versions(shop) == {STREAM: 3}


def test_catching_up_the_read_models_leaves_snapshots_to_their_own_task(
    shop: Shop,
) -> None:
    run(shop, "RegisterCustomer", ALICE, "alice")
    snapshots.run(shop)
    change_details(shop, range(200))

    assert catch_up.run(shop)
    assert snapshot_versions(shop) == {}


def test_beat_sends_it_to_a_queue_that_is_served(shop: Shop) -> None:
    entry = entries(shop.settings)["take snapshots"]

    assert entry["schedule"] == shop.settings.snapshot_seconds
    assert entry["options"]["expires"] < entry["schedule"]
    assert entry["task"] in app.tasks
    queue = app.conf.task_routes[entry["task"]]["queue"]
    assert queue.partition(".")[0] in QUEUES


def test_how_many_there_are_and_how_often_one_was_ignored_is_told(
    customer_of_523: Shop,
) -> None:
    shop = customer_of_523
    with shop.lent() as connection:
        connection.execute("UPDATE snapshots SET state = '{}'")
        loading.load(connection, [STREAM], shop.deciders)
        row = row_of(connection, STREAM)

        assert (row["version"], row["ignored_because"]) == (523, "corrupt")
        assert count_snapshots(connection) == (1, 1)


STEP = {"amount": 400, "transfer_id": 7}
WHY = {"rule": "AccountIsClosed", "reason": "Account BOB is closed."}
BETWEEN = {"from_account": "ALICE", "to_account": "BOB", "amount": 400}
# What there is of each kind of event, so that every part of a state comes back.
HISTORIES: list[tuple[Decider, list[tuple[str, dict[str, Any]]]]] = [
    (
        CUSTOMERS,
        [
            ("CustomerRegistered", {"name": "Alice & Söhne \U0001f570"}),
            (
                "CustomerDetailsChanged",
                {
                    "name": 'Alice "the Clock"',
                    "email": "alice@example.com",
                    "contact_name": "Alice",
                    "phone": "+47 55 00 00",
                    "address": {
                        "name": None,
                        "street": "1 Retro Road",
                        "city": "Bergen",
                        "region": "Vestland",
                        "country": "Norway",
                    },
                },
            ),
            ("CustomerForgotten", {}),
        ],
    ),
    (
        ORDERS,
        [
            (
                "OrderCreated",
                {
                    "customer_id": "ALICE",
                    "items": [
                        {
                            "product": "RETRO-CLOCK",
                            "quantity": 100_000,
                            "unit_price": 100_000_000_000,
                            "discount": "0.0001",
                        }
                    ],
                    "discount": "0.5",
                    "total": 5_000_000_000_000_000_000,
                    "address": {"street": "1", "city": "Bergen", "country": "Norway"},
                    "currency": "EUR",
                },
            ),
            ("PaymentReceived", {"amount": 5_000_000_000_000_000_000}),
            ("OrderShipped", {"tracking_no": "RC-1"}),
            ("DeliveryConfirmed", {"delivered_at": "2026-11-23T09:30:00Z"}),
            ("OrderCancelled", {"reason": "The customer called"}),
            (
                "PaymentRefunded",
                {"amount": 7, "currency": "EUR", "customer_id": "ALICE"},
            ),
        ],
    ),
    (
        ACCOUNTS,
        [
            ("AccountOpened", {"currency": "EUR"}),
            ("MoneyDeposited", {"amount": 1_000_000_000_000_000}),
            ("DepositRejected", {"from_account": "BOB", **STEP, **WHY}),
            ("MoneyWithdrawn", {"to_account": "BOB", **STEP}),
            ("AccountClosed", {}),
            ("WithdrawalRejected", {"to_account": "BOB", **STEP, **WHY}),
            ("WithdrawalReturned", {"to_account": "BOB", **STEP, **WHY}),
        ],
    ),
    (
        TRANSFERS,
        [
            ("TransferRequested", {"currency": "EUR", **BETWEEN}),
            ("TransferStepAbandoned", {"step": "deposit", **BETWEEN}),
            ("TransferCompleted", {}),
            ("TransferCompensated", WHY),
        ],
    ),
]
NAMES = [decider.category for decider, _ in HISTORIES]


def with_every_kind(
    decider: Decider, history: list[tuple[str, dict[str, Any]]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield *history*, and an event of each kind that is not in it."""
    yield from history
    told = {name for name, _ in history}
    for kind in decider.events.classes:
        if kind.__name__ not in told:
            yield kind.__name__, json.loads(decider.events.encode(sample(kind)))


@pytest.mark.parametrize(("decider", "history"), HISTORIES, ids=NAMES)
def test_every_state_of_the_shop_comes_back_exactly(
    shop: Shop, decider: Decider, history: list[tuple[str, dict[str, Any]]]
) -> None:
    stream_id = f"{decider.category}-1"
    with shop.lent() as connection:
        keyring = Keyring(connection, shop.deciders.masters)
        keyring.own_key(stream_id)
        connection.execute("SELECT keep_keys(%s)", (keyring.new_keys,))
        events = with_every_kind(decider, history)
        for version, (name, data) in enumerate(events, start=1):
            connection.execute(
                "INSERT INTO events"
                " (stream_id, type, version, data, metadata, occurred_at)"
                " VALUES (%s, %s, %s, %s, '{}', %s)",
                (stream_id, name, version, json.dumps(data), datetime.now(UTC)),
            )
            in_full = loading.load(connection, [stream_id], shop.deciders)
            keep_snapshot(connection, shop.deciders, stream_id, version)
            by_snapshot = loading.load(connection, [stream_id], shop.deciders)

            assert by_snapshot == in_full
            assert row_of(connection, stream_id)["ignored"] == 0
