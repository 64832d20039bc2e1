"""Appending: to the end of streams, all or nothing, on the version that was read."""

import json
from datetime import UTC, datetime, timedelta

import msgspec

from eventstore.errors import WrongExpectedVersion
from eventstore.log.append import ANY_VERSION, NO_STREAM, STREAM_EXISTS
from eventstore.log.events import Metadata
from eventstore.testing.conformance.check import Check, Connect, expect_error
from eventstore.testing.conformance.jars import BLUE, RED, amounts_in, coin, put

FUTURE = datetime(2999, 12, 31, 23, 59, 59, 123456, tzinfo=UTC)


@Check
def versions_of_a_stream_count_from_one(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1, 2)
    put(store, BLUE, 3)
    put(store, RED, 4)

    assert [event.version for event in store.read_stream(RED)] == [1, 2, 3]
    assert [event.version for event in store.read_stream(BLUE)] == [1]


@Check
def an_event_is_read_as_it_was_appended(connect: Connect) -> None:
    store = connect()
    event = coin(7)
    store.append([(RED, event)], expected={RED: NO_STREAM})

    (read,) = store.read_stream(RED)
    assert (read.stream_id, read.type, read.version) == (RED, "CoinPut", 1)
    assert json.loads(read.data) == {"amount": 7}
    metadata = msgspec.json.decode(read.metadata, type=Metadata)
    assert msgspec.structs.replace(metadata, recorded_at=None) == event.metadata


@Check
def an_event_tells_when_it_was_recorded(connect: Connect) -> None:
    store = connect()
    store.append([(RED, coin(occurred_at=FUTURE))], expected={RED: NO_STREAM})

    (read,) = store.read_stream(RED)
    recorded_at = msgspec.json.decode(read.metadata, type=Metadata).recorded_at
    assert recorded_at is not None
    assert recorded_at < FUTURE


@Check
def a_time_that_an_event_brings_is_kept(connect: Connect) -> None:
    store = connect()
    store.append([(RED, coin(occurred_at=FUTURE))], expected={RED: NO_STREAM})

    (read,) = store.read_stream(RED)
    assert read.occurred_at == FUTURE
    assert read.occurred_at.utcoffset() is not None


@Check
def an_event_without_a_time_is_never_before_the_one_before_it(connect: Connect) -> None:
    store = connect()
    store.append([(RED, coin(occurred_at=FUTURE))], expected={RED: NO_STREAM})
    store.append([(RED, coin()), (BLUE, coin())], expected={RED: 1, BLUE: NO_STREAM})

    (blue,) = store.read_stream(BLUE)
    assert store.read_stream(RED)[-1].occurred_at >= FUTURE
    assert blue.occurred_at < FUTURE - timedelta(days=1)


@Check
def positions_rise_in_the_order_of_appending(connect: Connect) -> None:
    store = connect()
    positions = [*put(store, RED, 1, 2), *put(store, BLUE, 3), *put(store, RED, 4)]

    assert positions == sorted(set(positions))
    assert positions[0] > 0


@Check
def an_append_tells_where_its_events_came_to_stand(connect: Connect) -> None:
    store = connect()
    done = store.append(
        [(RED, coin()), (BLUE, coin()), (RED, coin())],
        expected={BLUE: NO_STREAM, RED: NO_STREAM},
    )

    places = [(appended.stream_id, appended.version) for appended in done]
    assert places == [(RED, 1), (BLUE, 1), (RED, 2)]
    read = sorted([*store.read_stream(RED), *store.read_stream(BLUE)])
    assert [event.position for event in read] == [place.position for place in done]


@Check
def of_several_streams_all_are_written_or_none(connect: Connect) -> None:
    store = connect()
    put(store, BLUE, 1)
    events = [(RED, coin()), (BLUE, coin())]

    expected = {RED: NO_STREAM, BLUE: NO_STREAM}
    with expect_error(WrongExpectedVersion):
        store.append(events, expected=expected)
    assert (store.version(RED), store.version(BLUE)) == (0, 1)

    store.append(events, expected={RED: NO_STREAM, BLUE: 1})
    assert (store.version(RED), store.version(BLUE)) == (1, 2)


@Check
def a_number_wants_the_stream_at_that_version(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1, 2)

    for version in (1, 3):
        with expect_error(WrongExpectedVersion) as seen:
            store.append([(RED, coin())], expected={RED: version})
        (refusal,) = seen
        told = (refusal.stream_id, refusal.expected, refusal.actual)
        assert told == (RED, version, 2)
    store.append([(RED, coin(3))], expected={RED: 2})
    assert amounts_in(store, RED) == [1, 2, 3]


@Check
def no_stream_wants_that_there_is_none(connect: Connect) -> None:
    store = connect()
    store.append([(RED, coin(1))], expected={RED: NO_STREAM})

    with expect_error(WrongExpectedVersion):
        store.append([(RED, coin(2))], expected={RED: NO_STREAM})
    assert amounts_in(store, RED) == [1]


@Check
def stream_exists_wants_an_event(connect: Connect) -> None:
    store = connect()
    with expect_error(WrongExpectedVersion):
        store.append([(RED, coin(2))], expected={RED: STREAM_EXISTS})

    put(store, RED, 1)
    store.append([(RED, coin(2))], expected={RED: STREAM_EXISTS})
    assert amounts_in(store, RED) == [1, 2]


@Check
def any_version_takes_what_there_is(connect: Connect) -> None:
    store = connect()
    store.append([(RED, coin(1))], expected={RED: ANY_VERSION})
    store.append([(RED, coin(2))], expected={RED: ANY_VERSION})

    assert amounts_in(store, RED) == [1, 2]


@Check
def a_stream_that_was_only_read_is_checked_too(connect: Connect) -> None:
    store = connect()
    put(store, BLUE, 1)
    event = [(RED, coin())]

    expected = {RED: NO_STREAM, BLUE: NO_STREAM}
    with expect_error(WrongExpectedVersion):
        store.append(event, expected=expected)
    assert store.version(RED) == 0

    store.append(event, expected={RED: NO_STREAM, BLUE: 1})
    assert (store.version(RED), store.version(BLUE)) == (1, 1)


@Check
def versions_are_checked_also_without_an_event(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1)

    with expect_error(WrongExpectedVersion):
        store.append([], expected={RED: NO_STREAM})
    assert store.append([], expected={RED: 1}) == []


@Check
def a_stream_that_is_written_needs_an_expected_version(connect: Connect) -> None:
    store = connect()

    with expect_error(KeyError):
        store.append([(RED, coin())], expected={BLUE: NO_STREAM})
    assert store.version(RED) == 0
