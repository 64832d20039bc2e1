"""An import while the shop is at work, or another import."""

import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result

from domain.input import parse
from domain.orders.commands import PlaceOrder
from eventstore.aggregates import command_handler
from eventstore.connection import driver_connection
from eventstore.log import bulk_append
from tasks.accept import accept
from tasks.shop.history_import import appending, number_sequences
from tasks.shop.wiring import Shop
from tests.support.histories import History, last_number, order, read_log, run_import
from tests.support.orders import order_for
from tests.support.waiting import somebody_waits, wait_until


def test_an_order_that_was_promised_is_not_taken_by_an_import(
    shop: Shop, tmp_path: Path
) -> None:
    accept(
        shop,
        parse(PlaceOrder, order_for(currency="EUR")),
        key="first",
        principal="alice",
    )

    result = run_import(History([order(1)]).write(tmp_path / "old"))

    assert result.exit_code == 1
    assert "order-1 has no event yet, but a command that waits" in result.stderr


def test_an_order_that_is_being_promised_is_waited_for(
    shop: Shop, tmp_path: Path
) -> None:
    folder = History([order(1)]).write(tmp_path / "old")
    results: list[Result] = []
    with shop.engine.connect() as accepting:
        # A number is drawn, and its command not committed yet.
        accepting.execute(sa.text("SELECT nextval('order_numbers')"))
        run = threading.Thread(target=lambda: results.append(run_import(folder)))
        run.start()
        wait_until(lambda: somebody_waits(shop.engine), "the import waits")
        accepting.execute(
            sa.text(
                "INSERT INTO commands (id, stream_id, type, data, metadata,"
                " principal, fingerprint)"
                " VALUES (gen_random_uuid(), 'order-1', 'PlaceOrder', '{}', '{}',"
                " 'alice', '')"
            )
        )
        accepting.commit()
        run.join()

    assert "order-1 has no event yet, but a command that waits" in results[0].stderr
    assert read_log(shop.engine) == []
    assert last_number(shop.engine) == 1


def test_numbers_that_are_held_for_long_are_not_waited_for(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(number_sequences, "MAX_WAIT", "50ms")
    with shop.engine.connect() as accepting:
        accepting.execute(sa.text("SELECT nextval('order_numbers')"))
        result = run_import(History([order(1)]).write(tmp_path / "old"))

    assert result.exit_code == 1
    assert "are held by a transaction that does not end" in result.stderr
    assert read_log(shop.engine) == []


def test_who_writes_first_while_an_import_runs_keeps_the_stream(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_append, "BATCH_EVENTS", 10)
    original = appending.append_batch

    def append_batch(*arguments: Any) -> None:
        original(*arguments)
        with shop.autocommitting.connect() as connection:
            command_handler.handle(
                driver_connection(connection),
                parse(PlaceOrder, order_for(currency="EUR")),
                stream_id="order-17",
                deciders=shop.deciders,
                actor="alice",
            )

    monkeypatch.setattr(appending, "append_batch", append_batch)

    orders = [order(number) for number in range(1, 21)]
    result = run_import(History(orders).write(tmp_path / "old"))

    assert result.exit_code == 1
    assert "order-17 was written to by somebody else" in result.stderr
    assert "10 events were appended before, and stay." in result.stderr
    assert len(read_log(shop.engine)) == 11


def test_two_imports_at_once_make_one_history(shop: Shop, tmp_path: Path) -> None:
    folder = History([order(1)]).write(tmp_path / "old")
    results: list[Result] = []
    with shop.engine.connect() as other:
        other.execute(
            sa.text("SELECT pg_advisory_lock(hashtext('recount'), hashtext('import'))")
        )
        run = threading.Thread(target=lambda: results.append(run_import(folder)))
        run.start()
        wait_until(lambda: somebody_waits(shop.engine), "the second import waits")
        before = len(read_log(shop.engine))
        other.execute(sa.text("SELECT pg_advisory_unlock_all()"))
        run.join()

    assert before == 0
    assert "another import is at work; waiting for its end" in results[0].stdout
    assert len(read_log(shop.engine)) == 3
