"""Repeating: an append whose answer was lost is sent again, and takes effect once."""

from eventstore.errors import WrongExpectedVersion
from eventstore.log.append import ANY_VERSION, NO_STREAM, STREAM_EXISTS
from eventstore.testing.conformance.check import Check, Connect, expect_error
from eventstore.testing.conformance.jars import BLUE, RED, amounts_in, coin, put


@Check
def the_same_events_again_are_answered_with_their_first_places(
    connect: Connect,
) -> None:
    store = connect()
    events = [(RED, coin(1)), (RED, coin(2))]
    first = store.append(events, expected={RED: NO_STREAM})

    assert store.append(events, expected={RED: NO_STREAM}) == first
    assert amounts_in(store, RED) == [1, 2]


@Check
def they_are_recognised_when_others_have_come_after_them(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1)
    events = [(RED, coin(2)), (BLUE, coin(3))]
    first = store.append(events, expected={RED: 1, BLUE: NO_STREAM})
    put(store, RED, 4)
    put(store, BLUE, 5)

    assert store.append(events, expected={RED: 1, BLUE: NO_STREAM}) == first
    assert (amounts_in(store, RED), amounts_in(store, BLUE)) == ([1, 2, 4], [3, 5])


@Check
def other_events_at_that_version_are_none_of_them(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1)

    with expect_error(WrongExpectedVersion):
        store.append([(RED, coin(1))], expected={RED: NO_STREAM})
    assert amounts_in(store, RED) == [1]


@Check
def a_part_of_them_with_others_is_refused(connect: Connect) -> None:
    store = connect()
    known = (RED, coin(1))
    store.append([known], expected={RED: NO_STREAM})

    for events in ([known, (RED, coin(2))], [known, (BLUE, coin(2))]):
        with expect_error(WrongExpectedVersion):
            store.append(events, expected={RED: NO_STREAM, BLUE: NO_STREAM})
    assert (amounts_in(store, RED), store.version(BLUE)) == ([1], 0)


@Check
def without_a_number_they_are_taken_for_new_ones(connect: Connect) -> None:
    store = connect()
    events = [(RED, coin(1))]
    for expected in (ANY_VERSION, STREAM_EXISTS):
        store.append(events, expected={RED: expected})

    assert amounts_in(store, RED) == [1, 1]
