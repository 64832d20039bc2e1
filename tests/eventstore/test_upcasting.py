"""Shapes change: what was written ten generations ago is read as of today."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
import pytest

from eventstore.errors.unreadable import (
    BadUpcasters,
    NewerSchema,
    UnknownEventType,
    UnreadableEvent,
    UpcasterFailed,
)
from eventstore.log.codec import EventCodec
from eventstore.log.events import RecordedEvent
from eventstore.log.upcasting import Upcasters, VersionedData
from tests.support.members import MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNamed:
    """The tenth shape of an event that began as `Renamed`, with one field."""

    schema_version: ClassVar[str] = "10.0"

    first_name: str
    last_name: str
    is_married: bool
    born: int | None
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMoved:
    """Split off from the sixth shape, which had the town in it."""

    town: str


def split_name(data: dict[str, Any]) -> dict[str, Any]:
    first, _, last = data.pop("name").rpartition(" ")
    return {**data, "first_name": first, "last_name": last}


def called_person(data: dict[str, Any]) -> list[VersionedData]:
    return [VersionedData("PersonNamed", 6, data)]


def without_town(data: dict[str, Any]) -> list[VersionedData]:
    town = data.pop("town", None)
    moved = [VersionedData("PersonMoved", 1, {"town": town})] if town else []
    return [*moved, VersionedData("PersonNamed", 7, data)]


UPCASTERS: Upcasters = {
    ("Renamed", 1): lambda data: {**data, "married": "no"},
    ("Renamed", 2): lambda data: {**data, "married": data["married"] == "yes"},
    ("Renamed", 3): split_name,
    ("Renamed", 4): lambda data: {**data, "born": None},
    ("Renamed", 5): called_person,
    ("PersonNamed", 6): without_town,
    ("PersonNamed", 7): lambda data: {**data, "language": "en"},
    ("PersonNamed", 8): lambda data: {**data, "languages": [data["language"]]},
    ("PersonNamed", 9): lambda data: {**data, "is_married": data["married"]},
    ("PersonNamed", 1): called_person,
    ("PersonNamed", 2): called_person,
    ("PersonNamed", 3): called_person,
    ("PersonNamed", 4): called_person,
    ("PersonNamed", 5): called_person,
}
CODEC = EventCodec([PersonNamed, PersonMoved], UPCASTERS)

ADA = PersonNamed(
    first_name="Ada",
    last_name="Lovelace",
    is_married=True,
    born=None,
    languages=("en",),
)
SPLIT = {"first_name": "Ada", "last_name": "Lovelace"}
# Ada Lovelace, as each generation of the code would have written her.
GENERATIONS: dict[int, tuple[str, dict[str, Any]]] = {
    2: ("Renamed", {"name": "Ada Lovelace", "married": "yes"}),
    3: ("Renamed", {"name": "Ada Lovelace", "married": True}),
    4: ("Renamed", {**SPLIT, "married": True}),
    5: ("Renamed", {**SPLIT, "married": True, "born": None}),
    6: ("PersonNamed", {**SPLIT, "married": True, "born": None}),
    7: ("PersonNamed", {**SPLIT, "married": True, "born": None}),
    8: ("PersonNamed", {**SPLIT, "married": True, "born": None, "language": "en"}),
    9: ("PersonNamed", {**SPLIT, "married": True, "born": None, "languages": ["en"]}),
    10: (
        "PersonNamed",
        {**SPLIT, "is_married": True, "born": None, "languages": ["en"]},
    ),
}


def recorded(type_: str, data: Any, schema: str | None) -> RecordedEvent:
    # As PostgreSQL writes JSON: with a space behind each colon and comma.
    metadata = "{}" if schema is None else f'{{"actor": "x", "schema": "{schema}"}}'
    return RecordedEvent(
        7,
        "person-ada",
        type_,
        3,
        msgspec.json.encode(data).decode(),
        metadata,
        datetime(2026, 11, 24, tzinfo=UTC),
    )


@pytest.mark.parametrize("major", GENERATIONS)
def test_every_generation_of_an_event_is_read_as_of_today(major: int) -> None:
    type_, data = GENERATIONS[major]

    assert list(CODEC.read(recorded(type_, data, f"{major}.0"))) == [ADA]


def test_the_first_generation_knew_less() -> None:
    (ada,) = CODEC.read(recorded("Renamed", {"name": "Ada Lovelace"}, "1.0"))

    assert ada.is_married is False


def test_what_says_nothing_of_its_schema_is_of_the_first() -> None:
    assert CODEC.read(recorded("PersonMoved", {"town": "London"}, None)) == (
        PersonMoved(town="London"),
    )


def test_an_event_is_split_into_several_in_order() -> None:
    data = {**GENERATIONS[6][1], "town": "London"}

    assert list(CODEC.read(recorded("PersonNamed", data, "6.0"))) == [
        PersonMoved(town="London"),
        ADA,
    ]


def test_a_state_is_made_of_events_of_all_generations() -> None:
    events = [
        recorded(type_, data, f"{major}.0")
        for major, (type_, data) in GENERATIONS.items()
    ]
    person = replace(
        MEMBER, initial=(), evolve=lambda seen, event: (*seen, event), events=CODEC
    )

    assert person.state_after((), events) == (ADA,) * 9


def test_whoever_reads_a_part_passes_over_what_else_an_event_became() -> None:
    moves = EventCodec([PersonMoved], UPCASTERS, is_part=True)
    data = {**GENERATIONS[6][1], "town": "London"}

    assert moves.read(recorded("PersonNamed", data, "6.0")) == [
        PersonMoved(town="London")
    ]
    assert set(moves.types) == {"PersonMoved", "Renamed", "PersonNamed"}


def test_whoever_reads_a_part_passes_over_what_others_have_an_upcaster_for() -> None:
    """It is given events of that type, and may find their newest version among them."""
    today = recorded("PersonNamed", GENERATIONS[10][1], "10.0")

    assert EventCodec([PersonMoved], UPCASTERS, is_part=True).read(today) == []
    with pytest.raises(UnknownEventType, match="PersonNamed"):
        EventCodec([PersonMoved], UPCASTERS).read(today)


def test_whoever_reads_a_part_refuses_a_type_that_nobody_knows() -> None:
    with pytest.raises(UnknownEventType, match="PersonFired"):
        EventCodec([PersonMoved], UPCASTERS, is_part=True).read(
            recorded("PersonFired", {}, "1.0")
        )


def test_a_minor_version_needs_no_upcaster() -> None:
    # Written by a version that knows one optional field more.
    data = {**GENERATIONS[10][1], "nickname": "Enchantress of Numbers"}

    assert list(CODEC.read(recorded("PersonNamed", data, "10.7"))) == [ADA]


def test_a_major_version_that_is_newer_than_the_code_is_refused() -> None:
    with pytest.raises(NewerSchema, match=r"has version 11 of its shape.*upgrade it"):
        CODEC.read(recorded("PersonNamed", GENERATIONS[10][1], "11.0"))


def test_a_type_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownEventType, match="PersonFired"):
        CODEC.read(recorded("PersonFired", {}, "1.0"))


@pytest.mark.parametrize("schema", ["", "x", "one.0"])
def test_a_schema_that_is_no_version_is_refused(schema: str) -> None:
    with pytest.raises(UnreadableEvent, match="is no version"):
        CODEC.read(recorded("PersonMoved", {"town": "London"}, schema))


def test_a_schema_in_a_text_is_not_taken_for_the_schema() -> None:
    event = recorded("PersonMoved", {"town": "London"}, "2.0")
    spoofed = event._replace(
        metadata='{"actor": "\\"schema\\": \\"1.0\\"", "schema": "2.0"}'
    )

    with pytest.raises(NewerSchema):
        CODEC.read(spoofed)


def test_an_upcaster_that_fails_is_named() -> None:
    with pytest.raises(UpcasterFailed, match="upcaster of Renamed 3 failed: KeyError"):
        CODEC.read(recorded("Renamed", {}, "3.0"))


def test_an_upcaster_cannot_change_what_others_see() -> None:
    data = {"name": "Ada Lovelace", "married": True}
    event = recorded("Renamed", data, "3.0")
    CODEC.read(event)

    assert list(CODEC.read(event)) == [ADA]


def test_a_version_without_an_upcaster_is_refused_when_the_program_starts() -> None:
    some = {key: UPCASTERS[key] for key in UPCASTERS if key != ("PersonNamed", 8)}

    with pytest.raises(BadUpcasters, match="no upcaster lifts PersonNamed 8"):
        EventCodec([PersonNamed], some)


def test_an_upcaster_of_todays_version_is_refused() -> None:
    with pytest.raises(BadUpcasters, match="nothing needs the upcaster of PersonMoved"):
        EventCodec([PersonMoved], {("PersonMoved", 1): lambda data: data})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """The documents' example by a weak schema: a new optional field, a minor."""

    schema_version: ClassVar[str] = "1.1"

    total: int
    discount: Decimal = Decimal("0.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedAgain:
    """The same by an upcaster: the field must be there, a major."""

    schema_version: ClassVar[str] = "2.0"

    total: int
    discount: Decimal


def with_discount(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "discount": "0.0"}


def test_by_a_weak_schema_an_old_order_has_no_discount() -> None:
    codec = EventCodec([Ordered])

    assert codec.read(recorded("Ordered", {"total": 450}, "1.0")) == (
        Ordered(total=450, discount=Decimal("0.0")),
    )


def test_by_an_upcaster_an_old_order_has_no_discount() -> None:
    codec = EventCodec([OrderedAgain], {("OrderedAgain", 1): with_discount})

    assert codec.read(recorded("OrderedAgain", {"total": 450}, "1.0")) == [
        OrderedAgain(total=450, discount=Decimal("0.0"))
    ]


def test_by_copying_an_old_order_has_no_discount() -> None:
    codec = EventCodec([OrderedAgain], {("OrderedAgain", 1): with_discount})
    (copied,) = codec.lift("OrderedAgain", 1, '{"total": 450}')

    assert copied == VersionedData("OrderedAgain", 2, {"total": 450, "discount": "0.0"})
