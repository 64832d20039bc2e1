"""The store in memory, where it has more than the rules that every store keeps."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from eventstore import NO_STREAM, AsOf, MemoryStore
from eventstore.testing.memory.jsonb import as_jsonb
from tests.support.engine import COUNTERS, Add, added

NOON = datetime(1996, 7, 1, 12, tzinfo=UTC)

TEXTS = [
    '{"b":1,"aa":2,"a":3,"ä":4,"zz":5,"":6}',
    '{"twice":1,"twice":2}',
    "[1.0,1.10,-0.0,0.000,1e5,1E-7,-2.5e+3,12345678901234567890.123456789]",
    '[0,-0,10,true,false,null,"",[],{}]',
    r'["\u00e4\ud83d\ude00\/\"\\\n\t\b\f\r","\u007f\u0085\u2028"]',
    ' { "nested" : { "list" : [ { "x" : 1 } , "y" ] } } ',
    '"a text"',
    "17",
]


@pytest.mark.parametrize("text", TEXTS)
def test_json_reads_as_postgresql_writes_it(
    text: str, connection: psycopg.Connection[Any]
) -> None:
    ((written,),) = connection.execute(
        "SELECT %s::text::jsonb::text", (text,)
    ).fetchall()

    assert as_jsonb(text) == written


def test_its_clock_tells_when_events_happen() -> None:
    times = iter([NOON, NOON + timedelta(hours=1), NOON])
    store = MemoryStore(clock=lambda: next(times))
    for _ in range(3):
        store.handle(Add(counter_id="clock"), deciders=COUNTERS, actor="alice")

    hours = [event.occurred_at.hour for event in store.read_stream("counter-clock")]
    assert hours == [12, 13, 13]
    assert store.version("counter-clock", AsOf(at=NOON)) == 1


def test_who_changes_what_was_read_does_not_change_the_log() -> None:
    store = MemoryStore()
    store.append([("counter-1", added(1))], expected={"counter-1": NO_STREAM})
    store.read_stream("counter-1").clear()

    assert store.version("counter-1") == 1
