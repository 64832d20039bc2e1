"""Two processes at one filling: one that a killed rebuild has left, and the next."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from eventstore.errors import RebuildFailed
from eventstore.errors.rebuilding import FillingBrokeOff
from eventstore.log.append import ANY_VERSION, append
from eventstore.log.read import settled
from eventstore.projections.kept_rows import KeptRows
from eventstore.projections.tables import tables_of
from eventstore.rebuilding import filling
from eventstore.rebuilding.filling import filling_of, read_up_to
from eventstore.rebuilding.fillings import begin
from eventstore.rebuilding.parts import Part
from eventstore.rebuilding.processes import fill_in_processes, is_passing
from eventstore.rebuilding.rebuild import rebuild
from tests.support.engine import Engine, added
from tests.support.totals import totals

BATCH = 5
COUNTERS = 3


@pytest.fixture
def begun(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine with a filling that was begun, and forty events of three counters."""
    monkeypatch.setattr(filling, "BATCH", BATCH)
    for _ in range(40):
        write(engine)
    begin(engine.connection, totals, 1)
    return engine


written = iter(range(10**6))


def write(engine: Engine) -> None:
    name = f"counter-c{next(written) % COUNTERS}"
    append(engine.connection, [(name, added(1))], expected={name: ANY_VERSION})


def rows(engine: Engine) -> dict[str, int]:
    table = tables_of(totals, 1).rows.name
    found = engine.connection.execute(f"SELECT counter, total FROM readmodels.{table}")
    return dict(found.fetchall())


def as_folded(engine: Engine) -> dict[str, int]:
    found = engine.connection.execute(
        "SELECT substr(stream_id, 9), count(*) FROM events"
        " WHERE stream_id LIKE 'counter-%' GROUP BY 1"
    )
    return dict(found.fetchall())


def test_rows_that_another_process_has_gone_on_with_are_read_again(
    begun: Engine,
) -> None:
    ours, theirs = (filling_of(Part(totals, 1)) for _ in range(2))
    other = begun.connect()
    for goal in range(BATCH, 41, BATCH):
        which, connection = (ours, begun.connection) if goal % 3 else (theirs, other)
        read_up_to(connection, which, goal, lambda _: None)

    assert rows(begun) == as_folded(begun)


def test_what_is_in_memory_is_kept_over_the_end_of_the_log(
    begun: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the last event of its own there are those of others."""
    loaded: list[int] = []
    take = KeptRows.take

    def count(self: KeptRows, keys: set[int], answer: object) -> None:
        loaded.append(len(keys))
        take(self, keys, answer)  # type: ignore[arg-type]

    monkeypatch.setattr(KeptRows, "take", count)
    subscription = filling_of(Part(totals, 1))
    for _ in range(3):
        append(
            begun.connection,
            [("order-1", replace(added(1), type="Unknown"))],
            expected={"order-1": ANY_VERSION},
        )
        read_up_to(
            begun.connection, subscription, settled(begun.connection), lambda _: None
        )
        write(begun)
    read_up_to(
        begun.connection, subscription, settled(begun.connection), lambda _: None
    )

    assert sum(loaded) == 0
    assert rows(begun) == as_folded(begun)


def test_who_waits_for_a_held_checkpoint_sees_that_its_parent_has_ended(
    begun: Engine,
) -> None:
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise KeyboardInterrupt

    other = begun.connect()
    with other.transaction():
        other.execute("SELECT FROM subscriptions FOR UPDATE")
        with pytest.raises(KeyboardInterrupt):
            read_up_to(
                begun.connection,
                filling_of(Part(totals, 1)),
                40,
                lambda _: None,
                check=look,
            )

    assert rows(begun) == {}


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (psycopg.OperationalError("the connection is lost"), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.LockNotAvailable(), True),
        (MemoryError(), True),
        (psycopg.errors.DiskFull(), False),
        (psycopg.errors.DivisionByZero(), False),
        (ValueError("thirteen"), False),
    ],
)
def test_a_filling_is_kept_for_what_passes(error: Exception, passes: bool) -> None:
    wrapped = RebuildFailed("totals", "why")
    wrapped.__cause__ = error

    assert is_passing(error) == passes
    assert is_passing(wrapped) == passes


def test_a_checkpoint_that_somebody_holds_loses_nothing_that_was_filled(
    begun: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "MAX_SECONDS_HELD", 0.0)
    read_up_to(begun.connection, filling_of(Part(totals, 1)), 20, lambda _: None)
    other, before = begun.connect(), rows(begun)
    with other.transaction():
        other.execute("SELECT FROM subscriptions FOR UPDATE")
        with pytest.raises(FillingBrokeOff, match="another session holds"):
            rebuild(begun.connection, totals)
    said: list[str] = []
    rebuild(begun.connection, totals, say=said.append)

    assert before != rows(begun) == as_folded(begun)
    assert said == ["it goes on at position 20"]


def raise_lost() -> None:
    raise psycopg.OperationalError("the server closed the connection")


def test_a_part_that_loses_the_database_is_kept(engine: Engine) -> None:
    parts = begin(engine.connection, totals, 2).parts
    connect: Any = raise_lost
    with pytest.raises(FillingBrokeOff, match=r"closed the connection\. What"):
        fill_in_processes(
            engine.connection,
            connect,
            parts,
            0,
            lambda _: None,
        )
