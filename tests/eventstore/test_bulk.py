"""A bulk append: many events of many streams, under the rules of any append."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from eventstore.errors import WrongExpectedVersion, unstorable
from eventstore.log import bulk_append
from eventstore.log.append import ANY_VERSION, NO_STREAM, STREAM_EXISTS
from eventstore.log.bulk_append import append_bulk, batches
from tests.support.claims import statements
from tests.support.engine import Engine, added
from tests.support.fence import Reader
from tests.support.waiting import wait_until

STREAMS = [f"counter-{number}" for number in range(400)]
EVENTS = [(stream_id, added(amount)) for amount in range(1, 6) for stream_id in STREAMS]
NEW = dict.fromkeys(STREAMS, NO_STREAM)


def test_two_thousand_events_of_as_many_streams_come_in_order(engine: Engine) -> None:
    appended = append_bulk(engine.connection, EVENTS, expected=NEW)

    assert [tuple(place) for place in appended] == [
        (position, stream_id, 1 + (position - 1) // len(STREAMS))
        for position, (stream_id, _) in enumerate(EVENTS, start=1)
    ]
    assert engine.amounts("counter-399") == [*range(1, 6)]


def test_the_same_bulk_append_again_returns_the_first_places(engine: Engine) -> None:
    first = append_bulk(engine.connection, EVENTS, expected=NEW)

    assert append_bulk(engine.connection, EVENTS, expected=NEW) == first
    assert len(engine.stream("counter-17")) == 5


def test_one_stream_that_is_not_as_expected_refuses_them_all(engine: Engine) -> None:
    engine.append("counter-399", 1, expected=NO_STREAM)
    with pytest.raises(WrongExpectedVersion) as refused:
        append_bulk(engine.connection, EVENTS, expected=NEW)

    told = (refused.value.stream_id, refused.value.expected, refused.value.actual)
    assert told == ("counter-399", NO_STREAM, 1)
    assert engine.stream("counter-0") == []


def test_each_stream_has_an_expectation_of_its_own(engine: Engine) -> None:
    engine.append("counter-1", 1, 2, expected=NO_STREAM)
    engine.append("counter-2", 1, expected=NO_STREAM)
    there = {"counter-1": 2, "counter-2": STREAM_EXISTS, "counter-3": ANY_VERSION}
    append_bulk(engine.connection, EVENTS, expected=NEW | there)

    assert engine.amounts("counter-1") == [1, 2, *range(1, 6)]
    assert [event.version for event in engine.stream("counter-2")] == [*range(1, 7)]


def test_a_stream_that_is_only_checked_holds_it_up(engine: Engine) -> None:
    """Somebody is about to write what the bulk append was decided on."""
    other = engine.connect(autocommit=False)
    append_bulk(other, [("counter-read", added(1))], expected={"counter-read": 0})
    with ThreadPoolExecutor() as threads:
        ours = threads.submit(
            append_bulk,
            engine.connection,
            EVENTS,
            expected=NEW | {"counter-read": NO_STREAM},
        )
        wait_until(lambda: engine.is_waiting_for_a_lock(other), "it waits")
        other.commit()
        with pytest.raises(WrongExpectedVersion):
            ours.result(timeout=10)


def test_readers_wait_for_a_bulk_append_that_is_under_way(engine: Engine) -> None:
    reader = Reader(engine.url.replace("+psycopg", ""))
    writer = engine.connect(autocommit=False)
    append_bulk(writer, EVENTS, expected=NEW)
    engine.append("counter-later", 1, expected=NO_STREAM)
    reader.read(engine.connection)
    before = [*reader.seen]
    writer.commit()
    reader.read(engine.connection)

    assert before == []
    assert reader.seen == [*range(1, len(EVENTS) + 2)]


@pytest.mark.parametrize(
    ("limit", "most", "error"),
    [
        ("MAX_EVENTS", 99, unstorable.TooManyEvents),
        ("MAX_STREAMS", 9, unstorable.TooManyStreams),
        ("MAX_BYTES", 100 * len('{"amount":1,"note":""}') - 1, unstorable.TooManyBytes),
    ],
)
def test_what_is_too_much_is_refused_before_it_is_sent(
    limit: str,
    most: int,
    error: type[Exception],
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    some = [(f"counter-{number % 10}", added(1)) for number in range(100)]
    expected = {stream_id: ANY_VERSION for stream_id, _ in some}
    sent = statements(engine.connection)
    with monkeypatch.context() as patch:
        patch.setattr(bulk_append, limit, most)
        with pytest.raises(error, match=f"at most {most:,} may be: split it"):
            append_bulk(engine.connection, some, expected=expected)
    assert sent == []

    monkeypatch.setattr(bulk_append, limit, most + 1)
    assert len(append_bulk(engine.connection, some, expected=expected)) == 100


def test_what_no_append_takes_a_bulk_append_does_not_take(engine: Engine) -> None:
    with pytest.raises(unstorable.BadStreamId):
        append_bulk(engine.connection, [("counter", added(1))], expected={"counter": 0})


def test_batches_are_cut_by_number_and_by_size() -> None:
    small, large = "1", "x" * (bulk_append.BATCH_BYTES // 2)

    assert [*batches([])] == []
    assert [*batches([small] * 2_001)] == [
        range(1_000),
        range(1_000, 2_000),
        range(2_000, 2_001),
    ]
    assert [*batches([large, large, small])] == [range(2), range(2, 3)]
