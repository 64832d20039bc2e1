"""Keys of subjects in the database: one each, destroyed once, never given again."""

import threading
from typing import Any
from uuid import UUID

import psycopg
import pytest

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import KeyMadeElsewhere
from eventstore.errors.unreadable import KeyLost, WrongMasterKey
from eventstore.log.append import append
from eventstore.personal.key_rotation import count_former, rotate
from eventstore.personal.keyring import Keyring
from tests.support.engine import Engine
from tests.support.waiting import wait_until

MASTERS = MasterKeys(b"0123456789abcdef" * 2)
ALICE = "customer-alice"
NAME = frozenset({"name"})
ABOUT = UUID(int=1)


def keyring(connection: psycopg.Connection[Any], masters: Any = MASTERS) -> Keyring:
    return Keyring(connection, masters)


def closed(ring: Keyring, subject: str = ALICE) -> str:
    return ring.close_fields('{"name":"Alice"}', NAME, subject, ABOUT)


def keep(connection: psycopg.Connection[Any], ring: Keyring) -> None:
    append(connection, [], expected={}, new_keys=ring.new_keys)


def forget(connection: psycopg.Connection[Any], *subjects: str) -> None:
    append(connection, [], expected={}, forgotten=subjects)


@pytest.fixture
def box(engine: Engine) -> str:
    """Alice's name, closed with her key, which is stored."""
    ring = keyring(engine.connection)
    box = closed(ring)
    keep(engine.connection, ring)
    return box


def test_another_process_opens_what_was_closed(engine: Engine, box: str) -> None:
    assert keyring(engine.connection).decrypt(box, ABOUT) == '{"name":"Alice"}'


def test_a_subject_has_one_key(engine: Engine, box: str) -> None:
    ring = keyring(engine.connection)
    closed(ring)

    assert ring.new_keys is None


def test_of_two_who_make_a_subjects_first_key_one_begins_again(engine: Engine) -> None:
    ours, theirs = keyring(engine.connection), keyring(engine.connection)
    closed(ours)
    closed(theirs)
    keep(engine.connection, theirs)

    with pytest.raises(KeyMadeElsewhere):
        keep(engine.connection, ours)


def test_who_is_forgotten_cannot_be_read(engine: Engine, box: str) -> None:
    forget(engine.connection, ALICE)

    assert keyring(engine.connection).decrypt(box, ABOUT) == '{"$forgotten":true}'


def test_only_who_is_named_is_forgotten(engine: Engine, box: str) -> None:
    forget(engine.connection, "customer-bob")

    assert keyring(engine.connection).decrypt(box, ABOUT) == '{"name":"Alice"}'


def test_of_who_is_forgotten_nothing_personal_is_written_again(
    engine: Engine, box: str
) -> None:
    forget(engine.connection, ALICE)

    assert closed(keyring(engine.connection)) == '{"$forgotten":true}'


def test_who_never_had_a_key_is_forgotten_too(engine: Engine) -> None:
    forget(engine.connection, ALICE)

    assert closed(keyring(engine.connection)) == '{"$forgotten":true}'


def test_forgetting_twice_is_forgetting(engine: Engine, box: str) -> None:
    forget(engine.connection, ALICE)
    forget(engine.connection, ALICE)

    assert keyring(engine.connection).decrypt(box, ABOUT) == '{"$forgotten":true}'


def test_a_key_that_comes_too_late_is_never_stored(engine: Engine) -> None:
    late = keyring(engine.connection)
    box = closed(late)
    forget(engine.connection, ALICE)
    keep(engine.connection, late)

    assert keyring(engine.connection).decrypt(box, ABOUT) == '{"$forgotten":true}'


def test_a_key_that_comes_while_somebody_is_forgotten_is_never_stored(
    engine: Engine,
) -> None:
    late = keyring(engine.connection)
    box = closed(late)
    forgetting = engine.connect(autocommit=False)
    observer = engine.connect()
    forget(forgetting, ALICE)
    writing = threading.Thread(target=keep, args=(engine.connection, late))
    writing.start()
    wait_until(lambda: engine.is_waiting_for_a_lock(observer), "the key waits")
    forgetting.commit()
    writing.join()

    assert keyring(engine.connection).decrypt(box, ABOUT) == '{"$forgotten":true}'


def test_a_lost_key_is_not_taken_for_a_destroyed_one(engine: Engine, box: str) -> None:
    engine.connection.execute("DELETE FROM vault.keys")

    with pytest.raises(KeyLost, match="restore the schema vault"):
        keyring(engine.connection).decrypt(box, ABOUT)


def test_keys_are_wrapped_anew_and_the_former_master_key_can_go(
    engine: Engine, box: str
) -> None:
    new = b"fedcba9876543210" * 2
    both = MasterKeys(new, [MASTERS.current])
    assert count_former(engine.connection, both) == 1
    assert list(rotate(engine.connection, both)) == [1]

    assert keyring(engine.connection, MasterKeys(new)).decrypt(box, ABOUT)
    with pytest.raises(WrongMasterKey):
        keyring(engine.connection).decrypt(box, ABOUT)


def test_rotating_without_the_former_master_key_changes_nothing(
    engine: Engine, box: str
) -> None:
    with pytest.raises(WrongMasterKey):
        list(rotate(engine.connection, MasterKeys(b"fedcba9876543210" * 2)))

    assert keyring(engine.connection).decrypt(box, ABOUT) == '{"name":"Alice"}'


def test_destroyed_keys_are_not_wrapped_anew(engine: Engine, box: str) -> None:
    forget(engine.connection, ALICE)

    both = MasterKeys(b"fedcba9876543210" * 2, [MASTERS.current])
    assert count_former(engine.connection, both) == 0
    assert list(rotate(engine.connection, both)) == []
