"""Masked events of old and of unknown shapes: nothing personal slips through."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from eventstore.aggregates.decider import Deciders
from eventstore.log.codec import EventCodec
from eventstore.log.events import Metadata, RecordedEvent
from eventstore.log.upcasting import VersionedData
from eventstore.personal.masking import mask_key
from tasks.shop.stream_transfer.errors import NotMaskable
from tasks.shop.stream_transfer.masking import mask_event
from tasks.shop.stream_transfer.reading import DecryptedEvent
from tests.support.members import MEMBER, Joined, Paid

ID = UUID("6f1d2c0e-6d0b-5c52-9c34-1d1f5f0e8a11")


def in_full(old: dict[str, Any]) -> dict[str, Any]:
    return {"level": old["level"], "name": f"{old['first']} {old['last']}"}


def in_two(old: dict[str, Any]) -> list[VersionedData]:
    return [
        VersionedData("Joined", 2, in_full(old)),
        VersionedData("Paid", 1, {"amount": 0}),
    ]


DECIDERS = Deciders(
    [
        replace(
            MEMBER,
            events=EventCodec(
                [Joined, Paid], {("Joined", 1): in_full, ("Tried", 1): in_two}
            ),
        )
    ]
)
OLD = {"level": 3, "first": "Alice", "last": "Miller"}
NEW = {"level": 3, "name": "Alice Miller"}


def masked(
    data: dict[str, Any],
    *,
    boxed: frozenset[str] | None = None,
    type_: str = "Joined",
    schema: str = "1.0",
    stream_id: str = "member-1",
    actor: str | None = None,
) -> DecryptedEvent:
    metadata = Metadata(
        event_id=ID, correlation_id=ID, causation_id=ID, schema=schema, actor=actor
    )
    event = RecordedEvent(
        position=1,
        stream_id=stream_id,
        type=type_,
        version=1,
        data=msgspec.json.encode(data).decode(),
        metadata=msgspec.json.encode(metadata).decode(),
        occurred_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    opened = DecryptedEvent(event, metadata, data, boxed)
    return mask_event(opened, DECIDERS, mask_key(b"secret"))


def test_of_an_old_event_what_was_in_its_box_is_masked() -> None:
    made = masked(OLD, boxed=frozenset({"first", "last"}))

    assert made.event.type == "Joined"
    assert made.metadata.schema == "1.0"
    assert made.message["level"] == 3
    assert made.message["first"].startswith("first ")
    assert "Miller" not in str(made.message)


def test_an_old_event_in_the_clear_is_exported_as_it_is_today() -> None:
    made = masked(OLD)

    assert made.metadata.schema == "2.0"
    assert made.message["level"] == 3
    assert made.message["name"].startswith("name ")
    assert len(made.message) == 2


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type_": "Tried"}, "It is old, and 2 events today."),
        ({"type_": "Melted"}, "No class for events of type Melted"),
        ({"schema": "3.0"}, "has version 3 of its shape"),
        ({"schema": "new"}, "invalid literal"),
        ({"stream_id": "note-1"}, "Nothing decides on such streams."),
    ],
)
def test_where_nobody_can_say_what_is_personal_it_is_refused(
    event: dict[str, str], reason: str
) -> None:
    with pytest.raises(NotMaskable, match=reason):
        masked(OLD, **event)  # type: ignore[arg-type]


def test_a_person_who_acted_is_masked_and_a_program_is_not() -> None:
    by_bob = masked(NEW, schema="2.0", actor="bob").metadata.actor

    assert by_bob is not None
    assert by_bob.startswith("actor ")
    assert by_bob == masked(NEW, schema="2.0", actor="bob").metadata.actor
    assert masked(NEW, schema="2.0", actor="local").metadata.actor == "local"
    assert masked(NEW, schema="2.0").metadata.actor is None


def test_an_event_that_does_not_fit_its_class_is_masked_all_the_same() -> None:
    made = masked({"level": "high", "name": ["Alice"]}, schema="2.0")

    assert made.message["level"] == "high"
    assert "Alice" not in str(made.message)
