"""A log as the version before wrote it: orders of version 2, and no products."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent
from eventstore.personal.keyring import Keyring
from tasks.shop.history_import.appending import append_batch
from tasks.shop.history_import.encryption import encrypt_events
from tasks.shop.history_import.history import read_history
from tasks.shop.history_import.plan import PlannedEvent, plan_of
from tasks.shop.wiring import Shop
from tests.support.orders import ADDRESS

PLACED = datetime(2026, 1, 15, 10, tzinfo=UTC)


def import_as_before(shop: Shop, folder: Path) -> None:
    """Append the history in *folder* as an import of the version before did."""
    settings = shop.settings
    plan = plan_of(
        read_history(folder, settings.currency),
        source=folder.name,
        currency=settings.currency,
        zone=settings.timezone,
    )
    old = [one for one in plan.events if not one.stream_id.startswith("product-")]
    with shop.lent() as connection:
        keyring = Keyring(connection, settings.master_keys)
        made = encrypt_events(old, plan.import_id, shop.deciders, keyring)
        before = list(map(as_before, made))
        append_batch(connection, plan, before, keyring.new_keys, [])


def as_before(planned: PlannedEvent) -> PlannedEvent:
    """Return an event in the shape that it had; its envelope stays what it is."""
    if planned.type != "OrderCreated":
        return planned
    data = json.loads(planned.data)
    data["freight"] = data.pop("carriage")
    del data["terms"]
    for item in data["items"]:
        del item["number"]
    return planned._replace(data=json.dumps(data), schema="2.0")


def append_old_order(
    shop: Shop,
    number: int,
    *items: dict[str, Any],
    schema: str = "2.0",
    placed: datetime = PLACED,
) -> None:
    """Append an order of ALICE's as the version before would have placed it."""
    lines = [{"quantity": 1, "discount": "0", **item} for item in items]
    data = {
        "customer_id": "ALICE",
        "items": lines,
        "discount": "0",
        "total": sum(line["quantity"] * line["unit_price"] for line in lines),
        "address": ADDRESS,
        "currency": shop.settings.currency,
        "required_date": None,
        "freight": 650,
    }
    if schema == "1.0":
        del data["discount"]
    append_old(shop, f"order-{number}", 0, "OrderCreated", data, schema, placed)


def append_old(
    shop: Shop,
    stream_id: str,
    version: int,
    type_: str,
    data: dict[str, Any],
    schema: str = "1.0",
    at: datetime = PLACED,
) -> None:
    """Append an event behind *version* of its stream, as it was before encryption."""
    about: UUID = uuid4()
    metadata = Metadata(
        event_id=about, correlation_id=about, causation_id=about, schema=schema
    )
    event = NewEvent(
        type=type_, data=json.dumps(data), metadata=metadata, occurred_at=at
    )
    with shop.lent() as connection:
        append(connection, [(stream_id, event)], expected={stream_id: version})
