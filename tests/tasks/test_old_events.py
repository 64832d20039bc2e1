"""Every version of every event that the log may have is read by the code of today."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest

import readmodels
from eventstore.encryption.envelope import decrypt_fields
from eventstore.encryption.keys import SubjectKey
from eventstore.log.codec import EventCodec
from eventstore.log.events import RecordedEvent
from eventstore.log.schema_compatibility import examine, read
from tasks.shop.deciders import ALL as DECIDERS
from tasks.shop.deciders import ORDERS
from tasks.shop.process_managers import process_managers
from tasks.shop.wiring import Shop
from tests.generated.history import EVENT_CLASSES, HISTORY, shapes

SHAPES = shapes()


class OldEvent(NamedTuple):
    """A file of an event as the log has it, and its key where it is encrypted."""

    name: str
    event: RecordedEvent
    secret: bytes | None

    @property
    def version(self) -> str:
        schema = json.loads(self.event.metadata)["schema"]
        return f"{self.event.type} {schema}"

    def opened(self) -> RecordedEvent:
        if self.secret is None:
            return self.event
        secret = self.secret
        about = UUID(json.loads(self.event.metadata)["event_id"])
        data = decrypt_fields(
            self.event.data, about, lambda id: SubjectKey(id=id, secret=secret)
        )
        return self.event._replace(data=data)

    def forgotten(self) -> RecordedEvent:
        about = UUID(json.loads(self.event.metadata)["event_id"])
        return self.event._replace(
            data=decrypt_fields(self.event.data, about, lambda _: None)
        )


def old_events() -> Iterator[OldEvent]:
    for file in sorted(HISTORY.glob("*.json")):
        told: dict[str, Any] = json.loads(file.read_text())
        event = RecordedEvent(
            position=1,
            stream_id="order-1" if "Order" in told["type"] else "customer-ALICE",
            type=told["type"],
            version=1,
            data=json.dumps(told["data"]),
            metadata=json.dumps(told["metadata"]),
            occurred_at=datetime(2026, 11, 23, tzinfo=UTC),
        )
        secret = told.get("secret")
        yield OldEvent(file.stem, event, bytes.fromhex(secret) if secret else None)


OLD_EVENTS = list(old_events())
every_old_event = pytest.mark.parametrize("old", OLD_EVENTS, ids=lambda o: o.name)


def codecs_of(event_type: str) -> list[EventCodec]:
    """Return the codecs that are given events of that type: of deciders and folds."""
    codecs = [d.events for d in DECIDERS]
    codecs += [projection.codec for projection in readmodels.ALL]
    codecs += [process.codec for process in process_managers(30, UTC)]
    return [codec for codec in codecs if event_type in codec.types]


def read_as(old: "OldEvent", codec: EventCodec) -> list[type]:
    """Return the class of an old event for a codec; others pass it over."""
    return [kind for kind in codec.classes if kind.__name__ == old.event.type]


def test_no_shape_has_changed_without_a_version() -> None:
    problems = examine(EVENT_CLASSES, SHAPES)

    told = "\n\n".join(map(str, problems))
    assert not problems, f"docs/changing-an-event.md says what to do.\n\n{told}"


def test_every_version_has_an_event_of_its_own_to_be_read() -> None:
    recorded = {
        f"{type_} {version}" for type_, of in read(SHAPES).items() for version in of
    }
    personal = {
        f"{type_} {version}"
        for type_, of in read(SHAPES).items()
        for version, shape in of.items()
        if any(what.endswith(", personal") for what in shape.values())
    }

    assert {old.version for old in OLD_EVENTS} == recorded
    assert {old.version for old in OLD_EVENTS if old.secret} == personal


@every_old_event
def test_an_old_event_has_the_fields_of_its_version_and_no_others(
    old: OldEvent,
) -> None:
    (shape,) = (
        shape
        for type_, of in read(SHAPES).items()
        for version, shape in of.items()
        if f"{type_} {version}" == old.version
    )

    assert set(json.loads(old.opened().data)) == {p for p in shape if "." not in p}


@every_old_event
def test_whoever_is_given_an_old_event_can_read_it(old: OldEvent) -> None:
    codecs = codecs_of(old.event.type)
    assert len(codecs) > 1
    for codec in codecs:
        assert [type(event) for event in codec.read(old.opened())] == read_as(
            old, codec
        )


@every_old_event
def test_an_old_event_can_be_read_when_its_key_is_destroyed(old: OldEvent) -> None:
    for codec in codecs_of(old.event.type):
        found = codec.read(old.forgotten())

        assert [type(event) for event in found] == read_as(old, codec)


@pytest.mark.parametrize(
    "old", [o for o in OLD_EVENTS if o.secret], ids=lambda o: o.name
)
def test_what_is_personal_is_not_to_be_seen_in_an_encrypted_event(
    old: OldEvent,
) -> None:
    assert "Orchestra" not in old.event.data
    assert "Orchestra" in old.opened().data


def test_an_order_of_version_1_had_no_discount_on_all_of_it() -> None:
    (old,) = (o for o in OLD_EVENTS if o.name == "OrderCreated-1.0")
    (order,) = ORDERS.events.read(old.event)

    assert order.discount == Decimal("0.0")
    assert order.total == 10_404


def test_the_events_of_all_deciders_are_looked_at() -> None:
    assert {c.__name__ for c in EVENT_CLASSES} >= {"OrderCreated", "CustomerForgotten"}
    assert [c for d in Shop.slices for c in d.events.classes] == EVENT_CLASSES
