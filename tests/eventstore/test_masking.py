"""Masks: what stands for the personal fields of a message that leaves the house."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import msgspec
import pytest

from domain.customers.commands import RegisterCustomer
from domain.input import parse
from eventstore.personal.masking import Mask, mask_key, mask_message

KEY = mask_key(b"the secret of the shop")
ALICE = Mask(KEY, "customer-ALICE")
BOB = Mask(KEY, "customer-BOB")
PERSONAL = {"personal": True}
Nickname = NewType("Nickname", str)


class Title(StrEnum):
    MS = "ms"
    DR = "dr"


@dataclass(frozen=True, kw_only=True)
class Place:
    street: str
    number: int | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    product: str


@dataclass(frozen=True, kw_only=True)
class Registered:
    """An event with a personal field of each kind."""

    number: int
    lines: tuple[Line, ...] = ()
    name: Annotated[str, "at most 200"] = field(default="", metadata=PERSONAL)
    nickname: Nickname | None = field(default=None, metadata=PERSONAL)
    born: date | None = field(default=None, metadata=PERSONAL)
    seen_at: datetime | None = field(default=None, metadata=PERSONAL)
    wakes_at: time | None = field(default=None, metadata=PERSONAL)
    sleeps: timedelta | None = field(default=None, metadata=PERSONAL)
    passport: UUID | None = field(default=None, metadata=PERSONAL)
    weight: float | None = field(default=None, metadata=PERSONAL)
    income: Decimal | None = field(default=None, metadata=PERSONAL)
    portrait: bytes | None = field(default=None, metadata=PERSONAL)
    title: Title | None = field(default=None, metadata=PERSONAL)
    hand: Literal["left", "right"] | None = field(default=None, metadata=PERSONAL)
    is_member: bool | None = field(default=None, metadata=PERSONAL)
    homes: tuple[Place, ...] = field(default=(), metadata=PERSONAL)
    notes: Mapping[str, str] | None = field(default=None, metadata=PERSONAL)
    pair: tuple[str, int] | None = field(default=None, metadata=PERSONAL)


KNOWN = Registered(
    number=7,
    lines=(Line(product="RETRO-CLOCK"),),
    name="Alice Miller",
    nickname=Nickname("Al"),
    born=date(1981, 4, 7),
    seen_at=datetime.fromisoformat("2026-11-23T09:30:00+01:00"),
    wakes_at=time(6, 45),
    sleeps=timedelta(hours=8),
    passport=UUID("6f1d2c0e-6d0b-5c52-9c34-1d1f5f0e8a11"),
    weight=61.5,
    income=Decimal("4321.50"),
    portrait=b"a picture of Alice",
    title=Title.DR,
    hand="left",
    is_member=True,
    homes=(Place(street="Obere Str. 57", number=57),),
    notes={"likes": "clocks"},
    pair=("Alice", 4321),
)


def data_of(event: Any) -> dict[str, Any]:
    message: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(event))
    return message


def test_masks_are_of_the_kind_of_what_they_stand_for() -> None:
    message = mask_message(data_of(KNOWN), Registered, ALICE)
    text = msgspec.json.encode(message)

    read = msgspec.json.decode(text, type=Registered)
    assert (read.number, read.lines) == (KNOWN.number, KNOWN.lines)
    assert read.homes[0].street.startswith("street ")
    assert read.name.startswith("name ")
    assert read.seen_at is not None
    assert read.seen_at.tzinfo is not None
    for told in (b"Alice", b"Miller", b"1981", b"Obere", b"clocks", b"4321", b"likes"):
        assert told not in text


def test_the_same_of_one_person_stays_the_same_and_of_two_it_does_not() -> None:
    assert ALICE.of("Berlin", str, "city") == ALICE.of("Berlin", str, "city")
    assert ALICE.of("Berlin", str, "city") != ALICE.of("Hamburg", str, "city")
    assert ALICE.of("Berlin", str, "city") != BOB.of("Berlin", str, "city")
    other_shop = Mask(mask_key(b"another secret"), "customer-ALICE")
    assert ALICE.of("Berlin", str, "city") != other_shop.of("Berlin", str, "city")


def test_an_address_of_mail_stays_one_that_a_command_takes() -> None:
    mask = ALICE.of("alice@clocks.de", str, "second_email")

    assert mask.endswith("@masked.example")
    parse(RegisterCustomer, {"name": "Alice", "email": mask})


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_what_is_not_there_stays_so(value: Any) -> None:
    assert ALICE.of(value, Any, "name") == value


def test_what_a_class_does_not_know_is_masked_wherever_it_is() -> None:
    message = {
        "number": 7,
        "lines": [{"product": "RETRO-CLOCK", "engraving": "For Bob"}],
        "fax": "030-0074321",
        "$forgotten": True,
    }

    assert mask_message(message, Registered, ALICE) == {
        "number": 7,
        "lines": [
            {
                "product": "RETRO-CLOCK",
                "engraving": ALICE.of("For Bob", str, "engraving"),
            }
        ],
        "fax": ALICE.of("030-0074321", str, "fax"),
        "$forgotten": True,
    }


def test_what_was_in_the_box_is_masked_even_if_it_is_not_marked_today() -> None:
    message = mask_message({"number": 4321}, Registered, ALICE, boxed={"number"})

    assert message["number"] != 4321
    assert 0 < message["number"] < 10_000


def test_the_form_of_a_value_decides_where_its_kind_is_not_known() -> None:
    for value, kind in [
        ("1981-04-07", date),
        ("2026-11-23T09:30:00", datetime),
        ("6f1d2c0e-6d0b-5c52-9c34-1d1f5f0e8a11", UUID),
    ]:
        mask = ALICE.of(value, Any, "unknown")
        assert mask != value
        msgspec.convert(mask, kind)
