"""Accepting: what is in the journal is promised, and the same key has one effect."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest

from eventstore.errors import KeyReused
from eventstore.ids import command_id_for
from eventstore.journal.accept import AcceptedCommand, accept, explicit_fields
from tests.support.engine import COUNTERS, SECRET, Add, Engine, at_once

add = Add(counter_id="clock", amount=5)


@pytest.fixture
def numbers(engine: Engine) -> Engine:
    """The engine, where counters without a name get numbers."""
    engine.connection.execute("CREATE SEQUENCE counter_numbers")
    return engine


def accept_under(
    key: str, connection: psycopg.Connection[Any], command: Add = add
) -> AcceptedCommand:
    return accept(
        connection,
        command,
        decider=COUNTERS.all[0],
        principal="alice",
        key=key,
        secret=SECRET,
    )


def count(engine: Engine) -> int:
    ((number,),) = engine.connection.execute("SELECT count(*) FROM commands").fetchall()
    assert isinstance(number, int)
    return number


def drawn(engine: Engine) -> list[str]:
    """Return the streams of all commands, in the order they were accepted."""
    rows = engine.connection.execute("SELECT stream_id FROM commands ORDER BY seq")
    return [stream_id for (stream_id,) in rows]


def test_an_accepted_command_waits_in_its_stream(engine: Engine) -> None:
    entry = engine.entry(engine.accept(add))

    assert (entry.stream_id, entry.type, entry.status, entry.principal) == (
        "counter-clock",
        "Add",
        "accepted",
        "alice",
    )


def test_an_accepted_command_keeps_its_data(engine: Engine) -> None:
    entry = engine.entry(engine.accept(add))

    assert entry.data == {"counter_id": "clock", "amount": 5, "note": ""}


def test_a_commands_id_is_computed_from_its_sender_and_its_key(
    engine: Engine,
) -> None:
    assert engine.accept(add, key="first") == command_id_for("alice", "first")


def test_a_client_cannot_choose_the_id_of_a_command(engine: Engine) -> None:
    chosen = "00000000-0000-4000-8000-000000000000"

    assert engine.accept(add, key=chosen) != UUID(chosen)


def test_the_first_time_is_new(engine: Engine) -> None:
    assert accept_under("first", engine.connection).is_new


def test_the_same_again_is_the_first_one(engine: Engine) -> None:
    first = accept_under("first", engine.connection)

    assert accept_under("first", engine.connection) == (first.command_id, False)


def test_the_same_again_is_accepted_once(engine: Engine) -> None:
    engine.accept(add, key="first")
    engine.accept(add, key="first")

    assert count(engine) == 1


def test_a_key_does_not_serve_for_other_content(engine: Engine) -> None:
    command_id = engine.accept(add, key="first")

    with pytest.raises(KeyReused) as refused:
        engine.accept(Add(counter_id="clock", amount=7), key="first")

    assert refused.value.command_id == command_id


def test_a_field_that_keeps_its_default_is_no_other_content() -> None:
    """Else a retry over an upgrade that adds a field would be refused."""

    @dataclass(frozen=True, kw_only=True)
    class Older:
        name: str

    @dataclass(frozen=True, kw_only=True)
    class Newer:
        name: str
        note: str | None = None

    assert explicit_fields(Newer(name="clock")) == explicit_fields(Older(name="clock"))
    assert explicit_fields(Newer(name="clock", note="old")) != explicit_fields(
        Older(name="clock")
    )


def test_a_key_does_not_serve_for_another_expected_version(engine: Engine) -> None:
    engine.accept(add, key="first", expected_version=1)

    with pytest.raises(KeyReused):
        engine.accept(add, key="first", expected_version=2)


def test_somebody_elses_same_key_is_another_one(engine: Engine) -> None:
    alices = engine.accept(add, key="first", principal="alice")
    bobs = engine.accept(add, key="first", principal="bob")

    assert alices != bobs


def test_a_key_cannot_be_bent_into_somebody_elses(engine: Engine) -> None:
    alices = engine.accept(add, key="first", principal="alice")
    bent = engine.accept(add, key="lice\nfirst", principal="a")

    assert alices != bent


def test_a_command_without_a_name_gets_a_number(numbers: Engine) -> None:
    numbers.accept(Add(amount=5))
    numbers.accept(Add(amount=5))

    assert drawn(numbers) == ["counter-1", "counter-2"]


def test_a_number_is_drawn_only_for_a_new_key(numbers: Engine) -> None:
    numbers.accept(Add(amount=5), key="first")
    numbers.accept(Add(amount=5), key="first")
    numbers.accept(Add(amount=5), key="second")

    assert drawn(numbers) == ["counter-1", "counter-2"]


def test_a_key_that_is_reused_draws_no_number(numbers: Engine) -> None:
    numbers.accept(Add(amount=5), key="first")
    with pytest.raises(KeyReused):
        numbers.accept(Add(amount=7), key="first")
    numbers.accept(Add(amount=5), key="second")

    assert drawn(numbers) == ["counter-1", "counter-2"]


def test_the_same_from_eight_threads_at_once_is_new_once(engine: Engine) -> None:
    accepted = at_once(engine, *[lambda c: accept_under("first", c).is_new] * 8)

    assert sorted(accepted) == [False] * 7 + [True]


def test_the_same_from_eight_threads_at_once_is_written_once(engine: Engine) -> None:
    at_once(engine, *[lambda c: accept_under("first", c)] * 8)

    assert count(engine) == 1
