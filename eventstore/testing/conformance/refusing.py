"""Checks that invalid events raise a clear error, and that nothing is written."""

from dataclasses import replace

import msgspec

from eventstore.errors import unstorable
from eventstore.log.append import NO_STREAM
from eventstore.log.events import NewEvent
from eventstore.log.limits import (
    MAX_DATA_BYTES,
    MAX_EVENTS,
    MAX_METADATA_BYTES,
    MAX_STREAM_ID_LENGTH,
    MAX_TYPE_LENGTH,
)
from eventstore.testing.conformance.check import Check, Connect, expect_error
from eventstore.testing.conformance.jars import RED, coin


def check_refused(
    connect: Connect, error: type[unstorable.Unstorable], *events: NewEvent
) -> None:
    """Assert that *events* are refused, with one before them that is all right."""
    store = connect()
    all_events = [(RED, coin()), *((RED, event) for event in events)]

    with expect_error(error):
        store.append(all_events, expected={RED: NO_STREAM})
    assert store.version(RED) == 0


@Check
def a_stream_is_called_like_its_category_and_an_id(connect: Connect) -> None:
    store = connect()
    names = ["", "jar", "-1", "jar-", "Jar-1", "jar 1-1", "jar-1\n", "jar-\0"]
    for name in [*names, "jar-\ud800", "jar-" + "x" * MAX_STREAM_ID_LENGTH]:
        with expect_error(unstorable.BadStreamId):
            store.append([(name, coin())], expected={name: NO_STREAM})
    for name in ("jar-1", "old_jar2-Ä ö-ü", "jar-" + "x" * (MAX_STREAM_ID_LENGTH - 4)):
        store.append([(name, coin())], expected={name: NO_STREAM})
        assert store.read_stream(name)[0].stream_id == name


@Check
def a_type_has_a_name_that_can_be_kept(connect: Connect) -> None:
    for name in ("", "Coin\nPut", "Coin\0Put", "x" * (MAX_TYPE_LENGTH + 1)):
        check_refused(connect, unstorable.BadTypeName, replace(coin(), type=name))


@Check
def the_data_of_an_event_have_a_largest_size(connect: Connect) -> None:
    around = len('{"note": ""}')
    largest = replace(
        coin(), data='{"note": "' + "x" * (MAX_DATA_BYTES - around) + '"}'
    )
    larger = replace(coin(), data=largest.data.replace("xx", "xxx", 1))

    check_refused(connect, unstorable.TooLarge, larger)
    store = connect()
    store.append([(RED, largest)], expected={RED: NO_STREAM})
    assert len(store.read_stream(RED)[0].data) == MAX_DATA_BYTES


@Check
def the_metadata_of_an_event_have_a_largest_size(connect: Connect) -> None:
    metadata = msgspec.structs.replace(coin().metadata, actor="x" * MAX_METADATA_BYTES)

    check_refused(connect, unstorable.TooLarge, replace(coin(), metadata=metadata))


@Check
def one_append_has_a_largest_number_of_events(connect: Connect) -> None:
    event = coin()
    check_refused(connect, unstorable.TooManyEvents, *[event] * MAX_EVENTS)

    store = connect()
    store.append([(RED, event)] * MAX_EVENTS, expected={RED: NO_STREAM})
    assert store.version(RED) == MAX_EVENTS


@Check
def a_text_has_no_nul_and_no_half_of_a_character(connect: Connect) -> None:
    for text in (r"\u0000", r"\ud800", "\0", "\ud800"):
        event = replace(coin(), data=f'{{"note": "{text}"}}')
        check_refused(connect, unstorable.UnstorableText, event)
    metadata = msgspec.structs.replace(coin().metadata, actor="\0")
    check_refused(
        connect, unstorable.UnstorableText, replace(coin(), metadata=metadata)
    )


@Check
def a_number_is_one(connect: Connect) -> None:
    for number in ("NaN", "Infinity", "-Infinity"):
        event = replace(coin(), data=f'{{"amount": {number}}}')
        check_refused(connect, unstorable.NotANumber, event)
