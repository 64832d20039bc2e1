"""Reading: a stream, and the log as a whole, in order and in parts."""

from eventstore.errors import NotSettled
from eventstore.log.append import NO_STREAM
from eventstore.log.events import NewEvent
from eventstore.testing.conformance.check import Check, Connect, expect_error
from eventstore.testing.conformance.jars import BLUE, PURSE, RED, amounts, coin, put


@Check
def an_empty_stream_has_no_events(connect: Connect) -> None:
    store = connect()

    assert (store.version(RED), store.read_stream(RED)) == (0, [])
    assert list(store.read_all()) == []


@Check
def a_stream_is_read_forwards_and_backwards(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1, 2, 3, 4)
    put(store, BLUE, 9)

    assert amounts(store.read_stream(RED)) == [1, 2, 3, 4]
    assert amounts(store.read_stream(RED, backwards=True)) == [4, 3, 2, 1]


@Check
def a_stream_is_read_in_parts(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1, 2, 3, 4)

    assert amounts(store.read_stream(RED, after=2)) == [3, 4]
    assert amounts(store.read_stream(RED, after=4)) == []
    assert amounts(store.read_stream(RED, after=1, limit=2)) == [2, 3]
    latest = store.read_stream(RED, after=1, limit=2, backwards=True)
    assert amounts(latest) == [4, 3]


@Check
def the_log_has_the_events_of_all_streams_in_order(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1, 2)
    put(store, BLUE, 3)
    put(store, RED, 4)

    log = list(store.read_all())
    assert amounts(log) == [1, 2, 3, 4]
    assert [event.stream_id for event in log] == [RED, RED, BLUE, RED]
    assert amounts(store.read_all(backwards=True)) == [4, 3, 2, 1]


@Check
def the_log_is_read_in_parts(connect: Connect) -> None:
    store = connect()
    first, second, third, _ = put(store, RED, 1, 2, 3, 4)

    assert amounts(store.read_all(after=second)) == [3, 4]
    assert amounts(store.read_all(after=first, up_to=third)) == [2, 3]
    backwards = store.read_all(after=first, up_to=third, backwards=True)
    assert amounts(backwards) == [3, 2]
    assert amounts(store.read_all(up_to=0)) == []


@Check
def the_log_is_read_by_category(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1)
    put(store, PURSE, 2)
    put(store, "jar_lid-1", 3)
    put(store, BLUE, 4)

    assert amounts(store.read_all(category="jar")) == [1, 4]
    assert amounts(store.read_all(category="purse")) == [2]
    assert amounts(store.read_all(category="box")) == []


@Check
def the_log_is_read_by_type(connect: Connect) -> None:
    store = connect()
    metadata = coin().metadata
    found = NewEvent(type="CoinFound", data='{"amount": 2}', metadata=metadata)
    events = [(RED, coin(1)), (RED, found), (RED, coin(3))]
    store.append(events, expected={RED: NO_STREAM})

    assert amounts(store.read_all(types=["CoinFound"])) == [2]
    assert amounts(store.read_all(types=["CoinPut", "CoinLost"])) == [1, 3]
    assert amounts(store.read_all(types=[])) == []


@Check
def the_log_is_read_up_to_where_it_is_settled(connect: Connect) -> None:
    store = connect()
    (position,) = put(store, RED, 1)

    assert store.settled() >= position
    with expect_error(NotSettled):
        list(store.read_all(up_to=store.settled() + 1))


@Check
def a_reading_that_has_begun_ends_where_the_log_ended(connect: Connect) -> None:
    store, other = connect(), connect()
    put(store, RED, 1, 2)

    reading = store.read_all()
    first = next(reading)
    put(other, RED, 3)

    assert amounts([first, *reading]) == [1, 2]
