"""Reading the past: a stream as of a version, a position, or a time."""

from datetime import UTC, datetime, timedelta

from eventstore.aggregates.as_of import AsOf
from eventstore.errors import NoSuchVersion, NotSettled
from eventstore.log.append import NO_STREAM
from eventstore.store import Store
from eventstore.testing.conformance.check import Check, Connect, expect_error
from eventstore.testing.conformance.jars import BLUE, JARS, RED, amounts, coin, put

MONDAY = datetime(1996, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def read(store: Store, as_of: AsOf) -> list[int]:
    """Return the amounts as of then; all ways to ask must say the same."""
    seen = amounts(store.read_stream(RED, as_of=as_of))
    streams = store.load([RED], JARS, as_of)
    assert store.version(RED, as_of) == streams.versions[RED] == len(seen)
    assert streams.states[RED].total == sum(seen)
    return seen


@Check
def a_stream_is_read_as_of_a_version(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1, 2, 3)

    assert [read(store, AsOf(version=n)) for n in (0, 2, 3)] == [[], [1, 2], [1, 2, 3]]


@Check
def a_version_that_a_stream_does_not_have_is_refused(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1)

    for ask in (store.version, lambda stream, as_of: store.load([stream], JARS, as_of)):
        with expect_error(NoSuchVersion):
            ask(RED, AsOf(version=2))
    with expect_error(NoSuchVersion):
        store.read_stream(RED, as_of=AsOf(version=2))


@Check
def a_stream_is_read_as_of_a_position(connect: Connect) -> None:
    store = connect()
    (first,) = put(store, RED, 1)
    (between,) = put(store, BLUE, 9)
    (last,) = put(store, RED, 2)

    positions = (0, first, between, last)
    seen = [read(store, AsOf(position=position)) for position in positions]
    assert seen == [[], [1], [1], [1, 2]]


@Check
def a_position_that_is_not_settled_is_refused(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1)
    as_of = AsOf(position=store.settled() + 1)

    with expect_error(NotSettled):
        store.version(RED, as_of)
    with expect_error(NotSettled):
        store.read_stream(RED, as_of=as_of)
    with expect_error(NotSettled):
        store.load([RED], JARS, as_of)


@Check
def a_stream_is_read_as_of_a_time(connect: Connect) -> None:
    store = connect()
    events = [(RED, coin(n, occurred_at=MONDAY + n * DAY)) for n in range(3)]
    store.append(events, expected={RED: NO_STREAM})

    times = (MONDAY - DAY, MONDAY, MONDAY + DAY * 1.5, MONDAY + 9 * DAY)
    seen = [read(store, AsOf(at=at)) for at in times]
    assert seen == [[], [0], [0, 1], [0, 1, 2]]


@Check
def as_of_a_time_a_stream_is_its_longest_beginning(connect: Connect) -> None:
    """An import may bring times that do not rise."""
    store = connect()
    days = (0, 5, 1, 9)
    events = [(RED, coin(day, occurred_at=MONDAY + day * DAY)) for day in days]
    store.append(events, expected={RED: NO_STREAM})

    assert read(store, AsOf(at=MONDAY + 2 * DAY)) == [0]
    assert read(store, AsOf(at=MONDAY + 6 * DAY)) == [0, 5, 1]


@Check
def a_part_of_the_past_is_read(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1, 2, 3, 4)
    then = AsOf(version=3)

    assert amounts(store.read_stream(RED, as_of=then, after=1)) == [2, 3]
    backwards = store.read_stream(RED, as_of=then, backwards=True, limit=2)
    assert amounts(backwards) == [3, 2]
