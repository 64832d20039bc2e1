"""The process that fills copies: races with forgetting, deaths, and its end."""

import time
from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from domain.customers.commands import ForgetCustomer
from eventstore.past import filling
from eventstore.past.dropping import find_orphans
from eventstore.past.filler import Filler
from eventstore.past.registry import find_copies, find_right
from eventstore.past.wishes import has_work, want_copy
from readmodels import customers
from tasks.past.process import fill_in_turn
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place, rename
from tests.support.filling_process import GATES, filling_process
from tests.support.past import MANY, fill_all, moment_of, read_events

NAME = "alice@example.com"


class NeverStopped:
    """Never asked to stop, as long as a test lasts."""

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def wish(shop: Shop, position: int | None = None) -> None:
    moment = moment_of(shop, position=position)
    with shop.lent() as connection:
        want_copy(connection, customers.projection, moment, "tests")


def plaintext_in_copies(shop: Shop) -> list[str]:
    """Return the tables of copies in which the forgotten name stands."""
    with shop.lent() as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE tablename ~ '_at_[0-9]+'"
        ).fetchall()
        return [
            table
            for (table,) in tables
            if connection.execute(
                f"SELECT FROM readmodels.{table} AS t"
                f" WHERE t::text LIKE '%{NAME}%'".encode()
            ).rowcount
        ]


@pytest.fixture
def history(shop: Shop, do: Do) -> Shop:
    do(alice, place)
    return shop


@pytest.mark.parametrize("gate", GATES)
def test_what_was_begun_before_a_forgetting_is_thrown_away(
    history: Shop, do: Do, gate: str
) -> None:
    wish(history)
    projections = history.projections
    with filling_process(history.settings, projections, gate) as process:
        do(ForgetCustomer(customer_id="ALICE"))
        process.go_on()
        assert process.wait() in ("dropped", "ready")
        process.process.join(60)

    assert plaintext_in_copies(history) == []
    with history.lent() as connection:
        fill_all(history, connection)
        assert [copy.state for copy in find_copies(connection)] in ([], ["ready"])
        assert find_orphans(connection) == []
    assert plaintext_in_copies(history) == []


def test_without_the_look_at_the_registry_the_name_would_stay(
    history: Shop, do: Do
) -> None:
    """The test above can fail: a filling that does not look shows who is forgotten."""
    wish(history)
    with filling_process(
        history.settings, history.projections, "note_ready", is_guarded=False
    ) as process:
        with history.lent() as connection:
            # As `forget_copies` marks it, while the tables are in use.
            connection.execute("UPDATE past_copies SET state = 'dropped'")
        process.go_on()
        assert process.wait() == "ready"

    assert plaintext_in_copies(history) != []


@pytest.mark.parametrize("gate", GATES)
def test_what_one_left_that_was_killed_the_next_one_makes(
    history: Shop, gate: str
) -> None:
    wish(history)
    with filling_process(history.settings, history.projections, gate) as process:
        process.kill()

    with history.lent() as connection:
        fill_all(history, connection)
        [copy] = find_copies(connection)
        assert (copy.state, copy.rows) == ("ready", 1)
        assert find_orphans(connection) == []
        assert not has_work(connection, history.projections)


def test_a_filling_that_kills_each_process_is_given_up(history: Shop) -> None:
    wish(history)
    for _ in range(3):
        with filling_process(history.settings, history.projections, "fold") as process:
            process.kill()

    with history.lent() as connection:
        fill_all(history, connection)
        [copy] = find_copies(connection)
    assert copy.state == "failed"
    assert copy.error is not None


def test_tables_of_nobody_are_dropped(history: Shop) -> None:
    """A crash of the server empties the registry, and leaves the tables."""
    wish(history)
    with history.lent() as connection:
        fill_all(history, connection)
        connection.execute("DELETE FROM past_copies")
        assert len(find_orphans(connection)) == 1

        fill_all(history, connection)

        assert find_orphans(connection) == []


def test_the_process_fills_what_is_wanted_and_ends(history: Shop, do: Do) -> None:
    do(rename)
    for event in read_events(history):
        wish(history, event.position)
    stop: Any = NeverStopped()

    assert fill_in_turn(history, stop, seconds_idle=0.05)

    with history.lent() as connection:
        states = {copy.state for copy in find_copies(connection)}
        assert states == {"ready"}
        assert not has_work(connection, history.projections)


def test_a_table_in_use_is_dropped_when_it_is_free(history: Shop, do: Do) -> None:
    wish(history)
    with history.lent() as connection:
        fill_all(history, connection)
        [copy] = find_copies(connection)
    reading = Event()

    class Freeing(NeverStopped):
        def wait(self, seconds: float) -> None:
            # It has looked once, in vain.
            reading.set()
            super().wait(seconds)

    def read() -> None:
        with history.transaction() as reader:
            reader.execute(f"SELECT FROM readmodels.{copy.name}".encode())
            is_reading.set()
            assert reading.wait(60)

    is_reading = Event()
    thread = Thread(target=read)
    thread.start()
    assert is_reading.wait(60)
    do(ForgetCustomer(customer_id="ALICE"))
    # It answers nothing any more, although its table is there.
    with history.lent() as connection:
        [marked] = find_copies(connection)
        assert marked.state == "dropped"
        assert find_right(connection, customers.projection, moment_of(history)) is None
    stop: Any = Freeing()

    assert fill_in_turn(history, stop, seconds_idle=0.5)

    thread.join(60)
    assert plaintext_in_copies(history) == []
    with history.lent() as connection:
        assert find_copies(connection) == []


def test_of_two_processes_one_fills(history: Shop) -> None:
    wish(history)
    stop: Any = NeverStopped()
    with filling_process(history.settings, history.projections, "fold"):
        assert not fill_in_turn(history, stop, seconds_idle=0)


def test_a_wish_for_rows_of_other_code_is_left_to_its_filler(history: Shop) -> None:
    """The web is of the new version already, and the filler of the one before."""
    wish(history)
    with history.lent() as connection:
        connection.execute("UPDATE past_copies SET fold_version = 'of new code'")
        fill_all(history, connection)

        assert [copy.state for copy in find_copies(connection)] == ["wanted"]
        assert find_orphans(connection) == []
        # So it does not keep the turn from the filler that makes it.
        assert not has_work(connection, history.projections)


def test_while_a_forgetting_is_not_settled_nothing_is_filled(
    history: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be refused at its end, and begun again until then."""
    wish(history)
    with history.lent() as connection, history.lent() as other:
        with other.transaction():
            # A writer that does not end: nothing behind it is settled.
            other.execute(
                "SELECT pg_advisory_xact_lock_shared(lock_key(0, last_drawn()))"
            )
            do(ForgetCustomer(customer_id="ALICE"))
            fill_all(history, connection)
            assert [copy.state for copy in find_copies(connection)] == ["wanted"]
        fill_all(history, connection)
        assert [copy.state for copy in find_copies(connection)] == ["ready"]


def test_a_number_that_comes_again_meets_no_tables(history: Shop) -> None:
    """A crash empties the registry and begins its numbers again."""
    wish(history)
    with history.lent() as connection:
        fill_all(history, connection)
        [made] = find_copies(connection)
        connection.execute("DELETE FROM past_copies")
        connection.execute(
            "ALTER TABLE past_copies ALTER COLUMN number"
            f" RESTART WITH {made.number}".encode()
        )
        wish(history)
        filler = Filler(connection, history.projections, None, MANY)

        assert filler.fill_next() is not None


def test_a_full_disk_is_noted_and_does_not_hold_up_the_next(
    history: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends a transaction, and not the session; a second try would fill it again."""
    write = filling.Filling.write
    calls = iter([True, False])

    def sometimes(self: filling.Filling) -> None:
        if next(calls):
            raise psycopg.errors.DiskFull("no space left on device")
        write(self)

    monkeypatch.setattr(filling.Filling, "write", sometimes)
    wish(history, 1)
    wish(history, 2)
    stop: Any = NeverStopped()

    assert fill_in_turn(history, stop, seconds_idle=0.05)

    with history.lent() as connection:
        found = {copy.up_to: copy for copy in find_copies(connection)}
        assert find_orphans(connection) == []
    assert (found[1].state, found[1].tries, found[2].state) == ("failed", 1, "ready")
    assert found[1].error == "DiskFull: 53100"


def test_a_bug_of_one_copy_does_not_hold_up_the_next(
    history: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = filling.Filling.fold
    calls = iter([True, False])

    def sometimes(self: filling.Filling, events: Any) -> None:
        if next(calls):
            raise RuntimeError("a bug")
        fold(self, events)

    monkeypatch.setattr(filling.Filling, "fold", sometimes)
    wish(history, 1)
    wish(history, 2)
    stop: Any = NeverStopped()

    assert fill_in_turn(history, stop, seconds_idle=0.05)

    with history.lent() as connection:
        states = {copy.up_to: copy.state for copy in find_copies(connection)}
    assert states == {1: "failed", 2: "ready"}
