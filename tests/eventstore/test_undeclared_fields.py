"""A reader gets the personal fields that it declares, and decrypts nothing else."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from eventstore.encryption.envelope import encrypt_fields
from eventstore.encryption.keys import new_key
from eventstore.errors import UndeclaredField
from eventstore.errors.unreadable import UnreadableEvent
from eventstore.log.codec import EventCodec
from eventstore.log.events import RecordedEvent

PERSONAL = {"personal": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    club: str
    name: str = field(metadata=PERSONAL)
    email: str | None = field(default=None, metadata=PERSONAL)


NAME: Mapping[type, Collection[str]] = {Joined: ["name"]}
JOINED = json.dumps({"club": "chess", "name": "Alice", "email": "alice@example.org"})


def recorded(data: str, schema: str = "1.0", event_id: UUID | None = None) -> Any:
    # As PostgreSQL writes it.
    metadata = f'{{"schema": "{schema}", "event_id": "{event_id or uuid4()}"}}'
    return RecordedEvent(
        1, "member-1", "Joined", 1, data, metadata, datetime(2026, 1, 1, tzinfo=UTC)
    )


def encrypted() -> RecordedEvent:
    event_id = uuid4()
    data = encrypt_fields(JOINED, ["name", "email"], new_key(), event_id)
    event: RecordedEvent = recorded(data, event_id=event_id)
    return event


def read(personal: Mapping[type, Collection[str]] | None, event: RecordedEvent) -> Any:
    [read] = EventCodec([Joined], personal=personal).read(event)
    return read


def test_what_is_declared_is_read() -> None:
    assert read(NAME, recorded(JOINED)).name == "Alice"
    assert read(NAME, recorded(JOINED)).club == "chess"


def test_without_a_declaration_all_is_read() -> None:
    assert read(None, recorded(JOINED)).email == "alice@example.org"


@pytest.mark.parametrize(
    "use",
    [
        str,
        bool,
        hash,
        list,
        len,
        lambda value: value == "alice@example.org",
        lambda value: value != None,  # noqa: E711
        lambda value: value.lower(),
        lambda value: f"{value}",
        lambda value: "mail to " + value,
        lambda value: value + "!",
        lambda value: "alice" in value,
        lambda value: sorted([value, value]),
        lambda value: {value: 1},
    ],
)
def test_what_is_not_declared_raises_when_it_is_used(
    use: Callable[[Any], object],
) -> None:
    with pytest.raises(UndeclaredField):
        use(read(NAME, recorded(JOINED)).email)


def test_what_is_not_declared_is_never_written() -> None:
    with pytest.raises(TypeError):
        msgspec.json.encode(read(NAME, recorded(JOINED)))


def test_an_event_of_which_nothing_is_read_is_not_decrypted() -> None:
    assert not EventCodec([Joined], personal={}).opens(encrypted())
    assert read({}, encrypted()).club == "chess"
    with pytest.raises(UndeclaredField):
        str(read({}, encrypted()).name)


def test_an_event_of_which_something_is_read_needs_its_key() -> None:
    assert EventCodec([Joined], personal=NAME).opens(encrypted())
    with pytest.raises(UnreadableEvent):
        read(NAME, encrypted())


def test_an_old_event_is_decrypted_for_what_lifts_it() -> None:
    upcasters = {("Joined", 0): lambda old: old}
    codec = EventCodec([Joined], upcasters, personal={})

    assert codec.opens(encrypted()._replace(metadata='{"schema": "0.1"}'))


def test_of_what_several_decode_once_none_gets_what_it_has_not_declared() -> None:
    decoded: dict[Any, Any] = {}
    event = recorded(JOINED)
    [whole] = EventCodec([Joined]).read(event, decoded)
    [part] = EventCodec([Joined], personal=NAME).read(event, decoded)
    [again] = EventCodec([Joined]).read(event, decoded)

    assert again is whole
    assert whole.email == "alice@example.org"
    with pytest.raises(UndeclaredField):
        str(part.email)
