"""What the log does not take is refused before it is sent, in words that say why."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from eventstore.aggregates.command_handler import handle
from eventstore.errors import unstorable
from eventstore.journal.accept import accept
from eventstore.log.append import ANY_VERSION, append
from eventstore.log.codec import EventCodec
from eventstore.log.events import NewEvent
from eventstore.log.limits import MAX_DATA_BYTES, MAX_EVENTS, MAX_METADATA_BYTES
from tests.support.claims import statements
from tests.support.engine import (
    COUNTERS,
    SECRET,
    Add,
    Added,
    Engine,
    added,
    counters,
)
from tests.support.journal import error_of

CLOCK = "counter-clock"


def refusal(
    engine: Engine, *events: NewEvent, stream_id: str = CLOCK
) -> tuple[type[Exception], int]:
    """Append what must be refused; return the error and how much was sent."""
    sent = statements(engine.connection)
    with pytest.raises(unstorable.Unstorable) as refused:
        append(
            engine.connection,
            [(stream_id, event) for event in events],
            expected={stream_id: ANY_VERSION},
        )
    return type(refused.value), len(sent)


def is_taken(engine: Engine, *events: NewEvent, stream_id: str = CLOCK) -> bool:
    append(
        engine.connection,
        [(stream_id, event) for event in events],
        expected={stream_id: ANY_VERSION},
    )
    return len(engine.stream(stream_id)) == len(events)


def saying(data: Any) -> NewEvent:
    return replace(added(1), data=data if isinstance(data, str) else json.dumps(data))


@pytest.mark.parametrize(
    "stream_id",
    [
        "",
        "counter",
        "counter-",
        "-clock",
        "Counter-clock",
        "1counter-clock",
        "cöunter-clock",
        "coun ter-clock",
        "counter-clock\n",
        "counter-\0",
        "counter-a\x7f",
        "counter-\u2028",
        "counter-\ud800",
        "counter-" + "x" * 248,
    ],
    ids=ascii,
)
def test_a_stream_that_is_not_category_and_id_is_refused(
    stream_id: str, engine: Engine
) -> None:
    assert refusal(engine, added(1), stream_id=stream_id) == (unstorable.BadStreamId, 0)


@pytest.mark.parametrize(
    "stream_id",
    ["c-1", "counter_2-1", "counter-a-b", "counter-Ω 7/é", "counter-" + "x" * 247],
    ids=ascii,
)
def test_whatever_else_is_a_stream(stream_id: str, engine: Engine) -> None:
    assert is_taken(engine, added(1), stream_id=stream_id)


def test_a_stream_that_is_only_checked_needs_a_name_too(engine: Engine) -> None:
    with pytest.raises(unstorable.BadStreamId):
        append(engine.connection, [], expected={"counter": 0})


@pytest.mark.parametrize("name", ["", "A\n", "\0", "\udfff", "x" * 129], ids=ascii)
def test_a_type_that_is_no_plain_name_is_refused(name: str, engine: Engine) -> None:
    assert refusal(engine, replace(added(1), type=name)) == (unstorable.BadTypeName, 0)


def test_a_type_may_have_128_characters(engine: Engine) -> None:
    assert is_taken(engine, replace(added(1), type="x" * 128))


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_data_has_at_most_256_kib(character: str, engine: Engine) -> None:
    """Counted as bytes of JSON, its quotes among them."""
    size = len(character.encode())
    most = character * ((MAX_DATA_BYTES - 2) // size)
    data = f'"{most}"'

    assert is_taken(engine, saying(data))
    assert refusal(engine, saying(f'"{most}{character}"')) == (unstorable.TooLarge, 0)


def test_metadata_has_at_most_16_kib(engine: Engine) -> None:
    event = added(1)
    long = msgspec.structs.replace(event.metadata, actor="x" * MAX_METADATA_BYTES)

    assert refusal(engine, replace(event, metadata=long)) == (unstorable.TooLarge, 0)


@pytest.mark.parametrize(
    "data",
    [
        r'{"a": "\u0000"}',
        r'{"\u0000": 1}',
        r'{"a": "\\\u0000"}',
        '{"a": "\0"}',
        r'{"a": "\ud83d"}',
        r'{"a": "\ude00\ud83d"}',
        r'{"a": "\uD83D x"}',
        '{"a": "\ud83d"}',
    ],
    ids=ascii,
)
def test_a_nul_and_half_a_character_are_refused(data: str, engine: Engine) -> None:
    assert refusal(engine, saying(data)) == (unstorable.UnstorableText, 0)


@pytest.mark.parametrize("actor", ["a\0b", "a\ud800"], ids=ascii)
def test_they_are_refused_in_metadata_too(actor: str, engine: Engine) -> None:
    event = added(1)
    wrong = msgspec.structs.replace(event.metadata, actor=actor)

    assert refusal(engine, replace(event, metadata=wrong)) == (
        unstorable.UnstorableText,
        0,
    )


@pytest.mark.parametrize(
    "data",
    [
        r'{"a": "\\u0000"}',
        r'{"a": "\ud83d\ude00"}',
        r'{"a": "\u0001\u00e9"}',
        '{"a": "NaN, Infinity"}',
    ],
    ids=ascii,
)
def test_what_only_looks_like_it_is_taken(data: str, engine: Engine) -> None:
    assert is_taken(engine, saying(data))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused(number: float, engine: Engine) -> None:
    assert refusal(engine, saying({"a": [number]})) == (unstorable.NotANumber, 0)


def test_an_append_has_at_most_a_thousand_events(engine: Engine) -> None:
    assert is_taken(engine, *(added(1) for _ in range(MAX_EVENTS)))
    many = [added(1) for _ in range(MAX_EVENTS + 1)]
    assert refusal(engine, *many) == (unstorable.TooManyEvents, 0)


@dataclass(frozen=True, slots=True)
class Reading:
    celsius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    counter_id: str = "clock"
    readings: tuple[Reading, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("event", "place"),
    [
        (
            lambda n: Measured(readings=(Reading(1.5), Reading(n))),
            "readings.1.celsius",
        ),
        (lambda n: Measured(more={"a": {"b": [n]}}), "more.a.b.0"),
    ],
)
def test_an_event_with_a_number_that_is_none_is_not_written_as_null(
    number: float, event: Any, place: str
) -> None:
    """msgspec would, and nothing could be read back."""
    with pytest.raises(unstorable.NotANumber, match=rf"^{place} of Measured"):
        EventCodec([Measured]).encode(event(number))


def test_a_number_that_is_one_is_written() -> None:
    event = Measured(readings=(Reading(-1e300),), more={"a": 0.1})
    codec = EventCodec([Measured])

    assert codec.decode("Measured", codec.encode(event)) == event


def test_a_command_with_a_number_that_is_none_is_not_accepted(engine: Engine) -> None:
    """The journal would promise another one."""
    with pytest.raises(unstorable.NotANumber):
        accept(
            engine.connection,
            Measured(readings=(Reading(math.nan),)),
            decider=COUNTERS.all[0],
            principal="alice",
            key="key",
            secret=SECRET,
        )


def test_a_command_to_what_is_no_stream_is_not_accepted(engine: Engine) -> None:
    with pytest.raises(unstorable.BadStreamId):
        engine.accept(Add(counter_id="clock\n"))


def adding(*events: Added) -> Any:
    """Return deciders whose commands of amount 2 cause *events*."""

    def decide(_: Any, command: Any, **__: Any) -> Sequence[Added]:
        return events if command.amount == 2 else [Added(amount=command.amount)]

    return counters(decide)


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([Added(amount=1, note="x" * MAX_DATA_BYTES)], "TooLarge"),
        ([Added(amount=1, note="\0")], "UnstorableText"),
        ([Added(amount=1)] * (MAX_EVENTS + 1), "TooManyEvents"),
    ],
)
def test_a_command_that_decides_it_fails_and_no_other(
    events: list[Added], error: str, engine: Engine
) -> None:
    ids = [engine.accept(Add(counter_id="clock", amount=n)) for n in (1, 2, 3)]
    sent = statements(engine.connection)
    engine.drain(ids[0], deciders=adding(*events))

    assert engine.statuses(*ids) == ["succeeded", "failed", "succeeded"]
    assert error_of(engine, ids[1])["error"] == error
    # Take and append: nothing was tried in vain.
    assert len(sent) == 2


def test_commands_whose_events_are_too_many_together_take_two_appends(
    engine: Engine,
) -> None:
    many = [Added(amount=1)] * 600
    ids = [engine.accept(Add(counter_id="clock", amount=2)) for _ in range(2)]
    engine.drain(ids[0], deciders=adding(*many))

    assert engine.statuses(*ids) == ["succeeded"] * 2
    assert len(engine.stream(CLOCK)) == 1_200


def test_one_who_handles_at_once_is_told(engine: Engine) -> None:
    with pytest.raises(unstorable.TooLarge):
        handle(
            engine.connection,
            Add(counter_id="clock", amount=2),
            stream_id=CLOCK,
            deciders=adding(Added(amount=1, note="x" * MAX_DATA_BYTES)),
            actor="alice",
            command_id=uuid4(),
        )


def test_a_refusal_shows_what_was_given_fit_to_be_shown() -> None:
    message = str(unstorable.BadStreamId("x\n" * 1_000, 255))

    assert "\n" not in message
    assert len(message) < 300
