"""Sealing: every settled event is in one stretch, and every seal in a chain."""

import json
import re
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventstore.seals.seals import begin_chain, find_origin, newest_seals, seal_log
from tests.support.databases import ROOT
from tests.support.engine import Engine, at_once
from tests.support.seal_checker import Event, Seal, canonical, document, first_wrong
from tests.support.waiting import wait_until

MICROSECONDS = """
    CASE
        WHEN %(column)s = 'infinity' THEN 9223372036854775807
        WHEN %(column)s = '-infinity' THEN -9223372036854775808
        ELSE (
            extract(epoch FROM %(column)s - timestamptz '2000-01-01 00:00:00+00')
            * 1000000
        )::bigint
    END
"""


def microseconds(column: str) -> str:
    return MICROSECONDS.replace("%(column)s", column)


def check_independently(connection: psycopg.Connection[Any]) -> int | None:
    """Return the first seal that is wrong, for who knows but docs/seals.md."""
    seals = connection.execute(
        "SELECT number, after, up_to, count, imprint, previous,"
        f" {microseconds('sealed_at')}, hash FROM seals"
    )
    # A client's own form of JSON: PostgreSQL's is what is to be found again.
    events = connection.execute(
        "SELECT id, stream_id, type, version, data::json::text, metadata::json::text,"
        f" {microseconds('occurred_at')} FROM events"
    )
    return first_wrong(
        [Seal(*row) for row in seals.fetchall()],
        [Event(*row) for row in events.fetchall()],
    )


def stretches(connection: psycopg.Connection[Any]) -> list[tuple[int, int, int]]:
    rows = connection.execute(
        "SELECT after, up_to, count FROM seals WHERE number > 0 ORDER BY number"
    )
    return rows.fetchall()


def leave_gap(connection: psycopg.Connection[Any], size: int) -> None:
    """Draw positions and roll back."""
    with connection.transaction(force_rollback=True):
        connection.execute(
            """
            INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
            SELECT 'counter-gone', 'Added', i, '{}', '{}', now()
            FROM generate_series(1, %s) AS i
            """,
            (size,),
        )


def test_what_is_settled_is_sealed_stretch_by_stretch(engine: Engine) -> None:
    engine.append("counter-clock", *range(1, 26), expected=0)

    reached = seal_log(engine.connection, stretch=10)

    assert reached.handled == 25
    assert stretches(engine.connection) == [(0, 10, 10), (10, 20, 10), (20, 25, 5)]
    assert check_independently(engine.connection) is None


def test_to_seal_again_changes_nothing(engine: Engine) -> None:
    engine.append("counter-clock", 1, 2, expected=0)
    seal_log(engine.connection)
    before = newest_seals(engine.connection, 10)

    seal_log(engine.connection)

    assert newest_seals(engine.connection, 10) == before


def test_a_gap_that_a_rollback_left_is_sealed_as_one(engine: Engine) -> None:
    engine.append("counter-clock", 1, expected=0)
    leave_gap(engine.connection, 3)

    seal_log(engine.connection)
    leave_gap(engine.connection, 2)
    seal_log(engine.connection)
    engine.append("counter-clock", 1, expected=1)
    seal_log(engine.connection)

    assert stretches(engine.connection) == [(0, 4, 1), (4, 6, 0), (6, 7, 1)]
    assert check_independently(engine.connection) is None


def test_what_may_still_come_is_not_sealed(engine: Engine) -> None:
    engine.append("counter-clock", 1, expected=0)
    writer = engine.connect(autocommit=False)
    writer.execute(
        """
        INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
        VALUES ('counter-slow', 'Added', 1, '{}', '{}', now())
        """
    )
    engine.append("counter-clock", 1, expected=1)

    seal_log(engine.connection)
    before = stretches(engine.connection)
    writer.commit()
    seal_log(engine.connection)

    assert before == [(0, 1, 1)]
    assert stretches(engine.connection) == [(0, 1, 1), (1, 3, 2)]


def test_two_at_once_make_one_chain(engine: Engine) -> None:
    engine.append("counter-clock", *range(1, 200), expected=0)

    def seal(connection: psycopg.Connection[Any]) -> int:
        return seal_log(connection, stretch=3).handled

    at_once(engine, *[seal] * 4)
    seal_log(engine.connection, stretch=3)

    assert [up_to for _, up_to, _ in stretches(engine.connection)][-1] == 199
    assert check_independently(engine.connection) is None


def test_whoever_finds_the_checkpoint_held_passes_by(engine: Engine) -> None:
    begin_chain(engine.connection)
    holder = engine.connect(autocommit=False)
    holder.execute("SELECT FROM subscriptions WHERE name = 'seals' FOR UPDATE")

    assert seal_log(engine.connection).is_held


TAMPERED_CHECKPOINTS = [
    "DELETE FROM subscriptions WHERE name = 'seals'",
    "UPDATE subscriptions SET checkpoint = 0 WHERE name = 'seals'",
    "UPDATE subscriptions SET checkpoint = 1000 WHERE name = 'seals'",
]


@pytest.mark.parametrize("statement", TAMPERED_CHECKPOINTS)
def test_where_a_stretch_begins_is_not_taken_from_the_checkpoint(
    statement: str, engine: Engine
) -> None:
    """More roles may write to that than to the seals."""
    engine.append("counter-clock", 1, 2, expected=0)
    seal_log(engine.connection)
    engine.append("counter-clock", 3, expected=2)
    engine.connection.execute(statement)

    seal_log(engine.connection)

    assert stretches(engine.connection) == [(0, 2, 2), (2, 3, 1)]
    assert check_independently(engine.connection) is None


def test_sealing_ends_when_time_is_up_and_goes_on_later(engine: Engine) -> None:
    engine.append("counter-clock", *range(1, 10), expected=0)

    first = seal_log(engine.connection, stretch=2, seconds=0)
    seal_log(engine.connection, stretch=100)

    assert first.handled == 2
    assert stretches(engine.connection) == [(0, 2, 2), (2, 9, 7)]


def test_a_log_that_was_copied_names_the_last_seal_of_the_old_one(
    engine: Engine,
) -> None:
    old = bytes(range(32))
    begin_chain(engine.connection, old)
    begin_chain(engine.connection)

    origin = find_origin(engine.connection)

    assert origin is not None
    assert origin.previous == old
    assert check_independently(engine.connection) is None


CHANGES = ["UPDATE seals SET count = 0", "DELETE FROM seals", "TRUNCATE seals"]


@pytest.mark.parametrize("role", ["origin", "replica"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_seal_is_not_changed(change: str, role: str, engine: Engine) -> None:
    begin_chain(engine.connection)
    engine.connection.execute(f"SET session_replication_role = {role}")

    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        engine.connection.execute(change)


def insert(connection: psycopg.Connection[Any], *values: object) -> None:
    connection.execute(
        """
        INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
        VALUES (%s, %s, %s, %s, %s, %s)
        """,
        values,
    )


ODD = [
    ("counter-é", "Added", '{"a": 1.50, "b": 1.50e1, "c": 1e2, "d": 1e-5, "e": -0.0}'),
    ("counter-\U0001f570", "Hinzugefügt", '{"": [], "aa": {}, "b": [null, true, 1]}'),
    ("counter-2", "", '{"é": 1, "zz": 2, "b": 3, "b": 4, "ab": 5, "🕰": 6}'),
    (
        "counter-3",
        "a\tb",
        r'{"a": "\"\\\/\b\f\n\r\t\u0001\u001f\u007f\u2028é\ud83d\ude00"}',
    ),
    ("counter-4", "Added", '"text"'),
    ("counter-5", "Added", f"[{'9' * 500}, 0.{'1' * 300}, -1e300, 0e5, 12e-3]"),
    ("counter-6", "Added", "-0"),
]
TIMES = [
    "2026-11-24 12:00:00.000001+00",
    "1752-09-02 23:59:59.999999+00",
    "infinity",
    "-infinity",
    "4713-01-01 00:00:00+00 BC",
    "294276-12-31 23:59:59.999999+00",
    "1892-01-01 00:00:00.5+00:53:28",
]


def test_others_find_the_same_by_the_page_alone(engine: Engine) -> None:
    """Numbers of any length, the order of keys, escapes, and times beyond calendars."""
    for stream_id, kind, json_text in ODD:
        for version, moment in enumerate(TIMES, start=1):
            values = (stream_id, kind, version, json_text, json_text, moment)
            insert(engine.connection, *values)

    seal_log(engine.connection, stretch=5)

    assert check_independently(engine.connection) is None
    assert len(stretches(engine.connection)) == 10


@pytest.mark.parametrize(
    "setting",
    [
        "TimeZone = 'Europe/Amsterdam'",
        "DateStyle = 'German'",
        "client_encoding = 'LATIN1'",
        "extra_float_digits = -15",
        "bytea_output = 'escape'",
        "search_path = 'pg_temp'",
    ],
)
def test_no_setting_of_a_session_changes_an_imprint(
    setting: str, engine: Engine
) -> None:
    insert(engine.connection, "counter-é", "Added", 1, '{"é": 1.10}', "{}", TIMES[0])
    question = "SELECT encode(imprint, 'hex') FROM public.imprint(0, 9, 9)"
    before = engine.connection.execute(question).fetchall()

    engine.connection.execute(f"SET {setting}")

    assert engine.connection.execute(question).fetchall() == before


json_numbers = st.from_regex(
    r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
)
# What PostgreSQL takes: no NUL, and no half of a pair.
json_texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)


@pytest.fixture(scope="module")
def asked(databases: Any) -> Any:
    """A connection to the server: JSON is asked for without a table."""
    url = databases.url.set(drivername="postgresql")
    with psycopg.connect(
        url.render_as_string(hide_password=False), autocommit=True
    ) as connection:
        yield connection


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(number=json_numbers, keys=st.lists(json_texts, max_size=5), value=json_texts)
def test_the_rules_of_the_page_give_what_postgresql_writes(
    asked: psycopg.Connection[Any], number: str, keys: list[str], value: str
) -> None:
    members = [f"{json.dumps(key)}: {number}" for key in keys]
    text = f"[{{{', '.join(members)}}}, {number}, {json.dumps(value)}]"
    ((written,),) = asked.execute("SELECT %s::text::jsonb::text", (text,)).fetchall()

    read = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    assert canonical(read) == written


def test_the_example_of_the_page_is_what_the_database_computes(
    engine: Engine,
) -> None:
    """Where another version of PostgreSQL wrote JSON otherwise, this would fail."""
    page = (ROOT / "docs" / "seals.md").read_text()
    told = [
        block.replace("\n", "") for block in re.findall(r"```\n([0-9a-f\n]+)```", page)
    ]
    data = r'{"note":"a\tb","amount":1.50}'
    with engine.connection.transaction():
        engine.connection.execute(
            """
            INSERT INTO events
                (id, stream_id, type, version, data, metadata, occurred_at)
            OVERRIDING SYSTEM VALUE
            VALUES (1, 'counter-é', 'Added', 1, %s, '{}', %s)
            """,
            (data, TIMES[0]),
        )
        ((imprint, seal_hash),) = engine.connection.execute(
            """
            SELECT encode(i.imprint, 'hex'), encode(seal_hash(
                1, 0, 3, 1, decode(repeat('11', 32), 'hex'), '2026-11-24T12:00:10Z',
                i.imprint
            ), 'hex')
            FROM imprint(0, 3, 10) AS i
            """
        ).fetchall()

    assert data in page
    assert told == [document(data).hex(), imprint, seal_hash]


def test_a_writer_that_was_killed_does_not_hold_up_the_seals(engine: Engine) -> None:
    writer = engine.connect(autocommit=False)
    writer.execute(
        """
        INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
        VALUES ('counter-slow', 'Added', 1, '{}', '{}', now())
        """
    )
    engine.append("counter-clock", 1, expected=0)
    pid = writer.info.backend_pid
    engine.connection.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))

    def newest() -> int:
        return seal_log(engine.connection).checkpoint

    wait_until(lambda: newest() == 2, "all is sealed")
    assert stretches(engine.connection) == [(0, 2, 1)]


def test_each_log_has_an_identity_of_its_own(engine: Engine) -> None:
    begin_chain(engine.connection)

    origin = find_origin(engine.connection)

    assert origin is not None
    assert isinstance(origin.log, uuid.UUID)
    ((age,),) = engine.connection.execute(
        "SELECT clock_timestamp() - sealed_at FROM seals WHERE number = 0"
    ).fetchall()
    assert age < timedelta(minutes=1)
