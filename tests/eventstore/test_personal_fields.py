"""Personal fields: one box a message, and what is read when its key is gone."""

import json
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from eventstore.encryption.envelope import (
    FORGOTTEN,
    decrypt_fields,
    encrypt_fields,
    key_of,
)
from eventstore.encryption.keys import MasterKeys, SubjectKey, new_key
from eventstore.encryption.personal_fields import personal_fields, placeholders
from eventstore.errors.unreadable import TamperedEnvelope, WrongMasterKey

ABOUT = UUID(int=1)
KEY = new_key()
REGISTERED = '{"customer_id": "alice", "name": "Alice", "email": "alice@example.org"}'


def found(key_id: UUID) -> SubjectKey | None:
    return KEY if key_id == KEY.id else None


def closed() -> str:
    return encrypt_fields(REGISTERED, {"name", "email"}, KEY, ABOUT)


def test_personal_fields_are_not_to_be_read_in_what_is_stored() -> None:
    assert "Alice" not in closed()
    assert "alice@example.org" not in closed()
    assert json.loads(closed())["customer_id"] == "alice"


def test_its_key_opens_the_box() -> None:
    assert json.loads(decrypt_fields(closed(), ABOUT, found)) == json.loads(REGISTERED)


def test_the_same_twice_is_not_seen_to_be_the_same() -> None:
    assert closed() != closed()


def test_without_its_key_a_box_reads_as_forgotten() -> None:
    read = json.loads(decrypt_fields(closed(), ABOUT, lambda _: None))

    assert read == {"customer_id": "alice", FORGOTTEN: True}


def test_a_message_without_a_box_is_read_as_it_is() -> None:
    assert decrypt_fields('{"total": 450}', ABOUT, found) == '{"total": 450}'
    # As a value it is a text like any other.
    assert key_of('{"note": "$personal"}') is None


def test_a_box_does_not_open_in_another_message() -> None:
    with pytest.raises(TamperedEnvelope):
        decrypt_fields(closed(), UUID(int=2), found)


@pytest.mark.parametrize("box", ["", "AAAA", "no base64!", "é"])
def test_a_box_that_was_tampered_with_does_not_open(box: str) -> None:
    message = json.loads(closed())
    message["$personal"]["box"] = box

    with pytest.raises(TamperedEnvelope):
        decrypt_fields(json.dumps(message), ABOUT, found)


@pytest.mark.parametrize("box", [1, {}, {"key": "alice"}, {"key": str(KEY.id)}, []])
def test_what_is_no_box_is_called_broken(box: object) -> None:
    with pytest.raises(TamperedEnvelope):
        key_of(json.dumps({"$personal": box}))


def test_a_subjects_key_is_wrapped_and_comes_back() -> None:
    masters = MasterKeys(b"1" * 32)

    assert masters.unwrap(masters.wrap(KEY)) == KEY
    assert KEY.secret not in masters.wrap(KEY).wrapped


def test_a_former_master_key_still_opens_what_it_wrapped() -> None:
    before = MasterKeys(b"1" * 32)
    rotated = MasterKeys(b"2" * 32, [b"1" * 32])

    assert rotated.unwrap(before.wrap(KEY)) == KEY
    assert rotated.wrap(KEY).master != before.wrap(KEY).master


def test_a_master_key_that_is_not_given_is_named_without_telling_it() -> None:
    wrapped = MasterKeys(b"1" * 32).wrap(KEY)

    with pytest.raises(WrongMasterKey, match=wrapped.master):
        MasterKeys(b"2" * 32).unwrap(wrapped)


def test_a_master_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        MasterKeys(b"short")


def test_a_key_is_in_no_traceback() -> None:
    masters = MasterKeys(b"1" * 32)

    assert repr(KEY.secret) not in repr(KEY)
    assert "1111" not in repr(masters)


@dataclass(frozen=True, kw_only=True)
class Place:
    street: str
    country: str | None = None


@dataclass(frozen=True, kw_only=True)
class Registered:
    number: int
    name: str = field(metadata={"personal": True})
    email: str | None = field(default=None, metadata={"personal": True})
    places: tuple[Place, ...] = field(default=(), metadata={"personal": True})
    home: Place = field(metadata={"personal": True})


@dataclass(frozen=True, kw_only=True)
class Leaking:
    who: Registered | None = None


@dataclass(frozen=True, kw_only=True)
class Stubborn:
    born: int = field(metadata={"personal": True})


def test_personal_fields_are_those_that_are_marked() -> None:
    assert personal_fields(Registered) == {"name", "email", "places", "home"}
    assert personal_fields(Place) == set()


def test_forgotten_fields_read_as_words_or_as_nothing() -> None:
    assert placeholders(Registered) == {
        "name": "(forgotten)",
        "email": None,
        "places": [],
        "home": {"street": "(forgotten)", "country": None},
    }


def test_a_field_that_holds_personal_ones_must_be_marked_itself() -> None:
    with pytest.raises(TypeError, match=r"Leaking\.who holds personal fields"):
        personal_fields(Leaking)


def test_a_personal_field_that_no_word_can_stand_for_is_refused() -> None:
    with pytest.raises(TypeError, match="must be optional"):
        placeholders(Stubborn)
