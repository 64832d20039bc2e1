"""Reading: a stream both ways, and the log as far as it is settled."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from eventstore.aggregates.as_of import AsOf, read_as_of
from eventstore.errors import NoSuchVersion, NotSettled
from eventstore.log import read
from eventstore.log.append import ANY_VERSION, append
from eventstore.log.events import RecordedEvent
from eventstore.log.read import read_stream, scan, scan_back
from tests.support.databases import ROOT
from tests.support.engine import Engine, added

CLOCK = "counter-clock"
LAMP = "counter-lamp"


def versions(events: list[RecordedEvent]) -> list[int]:
    return [event.version for event in events]


@pytest.fixture
def clock(engine: Engine) -> Engine:
    """A counter with five events."""
    engine.append(CLOCK, 1, 2, 3, 4, 5, expected=0)
    return engine


def test_a_stream_is_read_in_order(clock: Engine) -> None:
    assert versions(read_stream(clock.connection, CLOCK)) == [1, 2, 3, 4, 5]


def test_a_stream_is_read_backwards(clock: Engine) -> None:
    assert versions(read_stream(clock.connection, CLOCK, backwards=True)) == [
        *(5, 4, 3, 2, 1)
    ]


@pytest.mark.parametrize(
    ("is_backwards", "expected"), [(False, [3, 4]), (True, [4, 3])]
)
def test_a_stream_is_read_from_a_version_to_a_version(
    is_backwards: bool, expected: list[int], clock: Engine
) -> None:
    events = read_stream(
        clock.connection, CLOCK, after=2, up_to=4, backwards=is_backwards
    )

    assert versions(events) == expected


@pytest.mark.parametrize(
    ("is_backwards", "expected"), [(False, [1, 2]), (True, [5, 4])]
)
def test_a_few_of_a_stream_are_read(
    is_backwards: bool, expected: list[int], clock: Engine
) -> None:
    events = read_stream(clock.connection, CLOCK, backwards=is_backwards, limit=2)

    assert versions(events) == expected


def test_a_stream_that_is_none_has_no_events(clock: Engine) -> None:
    assert read_stream(clock.connection, LAMP) == []


def test_a_stream_is_read_as_of_a_time(engine: Engine) -> None:
    days = [datetime(1996, 7, day, tzinfo=UTC) for day in (4, 5, 8)]
    events = [(CLOCK, added(1, occurred_at=day)) for day in days]
    append(engine.connection, events, expected={CLOCK: 0})

    as_of = AsOf(at=datetime(1996, 7, 6, tzinfo=UTC))
    assert versions(read_as_of(engine.connection, CLOCK, as_of)) == [1, 2]


def test_a_stream_is_read_as_of_a_position(clock: Engine) -> None:
    as_of = AsOf(position=3)

    assert versions(read_as_of(clock.connection, CLOCK, as_of)) == [1, 2, 3]


def test_a_stream_is_read_backwards_from_what_it_was(clock: Engine) -> None:
    events = read_as_of(
        clock.connection, CLOCK, AsOf(version=4), after=1, backwards=True, limit=2
    )

    assert versions(events) == [4, 3]


def test_a_version_that_is_not_there_is_told(clock: Engine) -> None:
    with pytest.raises(NoSuchVersion):
        read_as_of(clock.connection, CLOCK, AsOf(version=6))


@pytest.fixture
def mixed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Counters and a lamp that is none, in turn; read in small batches."""
    monkeypatch.setattr(read, "BATCH", 3)
    monkeypatch.setattr(read, "SPAN", 7)
    for number in range(1, 13):
        append(
            engine.connection,
            [(f"counter-{number}", added(number)), (f"lamp-{number}", added(-number))],
            expected={f"counter-{number}": 0, f"lamp-{number}": 0},
        )
    return engine


def test_the_log_is_read_in_its_order(mixed: Engine) -> None:
    positions = [event.position for event in scan(mixed.connection)]

    assert positions == list(range(1, 25))


def test_the_log_is_read_backwards(mixed: Engine) -> None:
    positions = [event.position for event in scan_back(mixed.connection)]

    assert positions == list(range(24, 0, -1))


@pytest.mark.parametrize(("after", "up_to"), [(0, 24), (5, 6), (5, 5), (9, 20)])
def test_the_log_is_read_behind_a_position_up_to_another(
    after: int, up_to: int, mixed: Engine
) -> None:
    expected = list(range(after + 1, up_to + 1))
    forwards = scan(mixed.connection, after=after, up_to=up_to)
    back = scan_back(mixed.connection, after=after, up_to=up_to)

    assert [event.position for event in forwards] == expected
    assert [event.position for event in back] == expected[::-1]


def test_the_log_is_read_by_category(mixed: Engine) -> None:
    lamps = [event.stream_id for event in scan(mixed.connection, category="lamp")]

    assert lamps == [f"lamp-{number}" for number in range(1, 13)]


@pytest.mark.parametrize("category", ["lam", "lamp-1", "l%", "", "LAMP"])
def test_a_category_is_the_whole_of_what_is_before_the_hyphen(
    category: str, mixed: Engine
) -> None:
    assert list(scan(mixed.connection, category=category)) == []


def test_the_log_is_read_by_type(mixed: Engine) -> None:
    assert len(list(scan(mixed.connection, types=["Added"]))) == 24
    assert list(scan(mixed.connection, types=["Removed"])) == []
    assert list(scan(mixed.connection, types=[])) == []


def test_the_log_ends_where_it_is_settled(mixed: Engine) -> None:
    """Somebody is writing still: what is behind them might not be the next."""
    writer = mixed.connect(autocommit=False)
    append(writer, [(CLOCK, added(1))], expected={CLOCK: ANY_VERSION})
    mixed.append(LAMP, 1, expected=0)

    assert max(event.position for event in scan(mixed.connection)) == 24
    assert next(scan_back(mixed.connection)).position == 24


def test_the_log_is_not_read_beyond_what_is_settled(mixed: Engine) -> None:
    with pytest.raises(NotSettled):
        list(scan(mixed.connection, up_to=25))


def test_what_comes_while_it_is_read_is_left_to_the_next_time(mixed: Engine) -> None:
    events = scan(mixed.connection)
    first = next(events)
    mixed.append(LAMP, 1, expected=0)

    assert len([first, *events]) == 24


READ_ALL = """
import resource, sys
from eventstore.log.read import scan
from tests.support.engine import connect

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

events = scan(connect(sys.argv[1]))
for _, event in zip(range(2_000), events):
    pass
before = peak()
count = 2_000 + sum(1 for _ in events)
print(count, peak() - before)
"""


def test_a_hundred_thousand_events_need_no_more_memory_than_a_few(
    engine: Engine,
) -> None:
    engine.connection.execute(
        """
        INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
        SELECT
            'counter-' || n, 'Added', 1,
            jsonb_build_object('amount', n, 'note', repeat('x', 500)), '{}', now()
        FROM generate_series(1, 100000) AS n
        """
    )
    ran = subprocess.run(
        [sys.executable, "-c", READ_ALL, engine.url],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    count, kilobytes = map(int, ran.stdout.split())

    # All of them are 50 MB and more; what is in memory is a batch.
    assert (count, kilobytes < 5_000) == (100_000, True), kilobytes
