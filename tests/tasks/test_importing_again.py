"""An import that is run again, was stopped, or meets what others have written."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from click.testing import CliRunner

from cli.importing import import_history
from domain.customers.commands import RegisterCustomer
from domain.input import parse
from domain.orders.commands import CancelOrder
from eventstore.aggregates import command_handler
from eventstore.connection import driver_connection
from eventstore.log import bulk_append
from tasks.catch_up import find_live_standings
from tasks.shop import wiring
from tasks.shop.history_import import appending
from tasks.shop.wiring import Shop
from tests.support.histories import (
    History,
    customer,
    last_number,
    line,
    order,
    read_log,
    run_import,
)

ORDERS = [order(number, shipped_date="1996-07-16") for number in range(1, 21)]
EVENTS = 42


def handle(shop: Shop, command: Any, stream_id: str) -> None:
    with shop.autocommitting.connect() as connection:
        command_handler.handle(
            driver_connection(connection),
            command,
            stream_id=stream_id,
            deciders=shop.deciders,
            actor="alice",
        )


def stop_at(monkeypatch: pytest.MonkeyPatch, batch: int, error: BaseException) -> None:
    """Cut batches of ten events, and raise *error* in the place of one of them."""
    monkeypatch.setattr(bulk_append, "BATCH_EVENTS", 10)
    original, batches = appending.append_batch, iter(range(batch))

    def append_batch(*arguments: Any) -> None:
        if next(batches, None) is None:
            raise error
        original(*arguments)

    monkeypatch.setattr(appending, "append_batch", append_batch)


def test_a_second_run_says_that_there_is_nothing_to_do(
    shop: Shop, tmp_path: Path
) -> None:
    folder = History(ORDERS).write(tmp_path / "old")
    run_import(folder)
    first = read_log(shop.engine)

    second = run_import(folder)

    assert second.exit_code == 0
    assert f"nothing to do: all {EVENTS} events of 'old'" in second.stdout
    assert read_log(shop.engine) == first


def test_a_run_that_was_stopped_is_ended_by_the_next(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = History(ORDERS).write(tmp_path / "old")
    with monkeypatch.context() as patch:
        stop_at(patch, 3, KeyboardInterrupt())
        stopped = run_import(folder)
    left = len(read_log(shop.engine))

    second = run_import(folder)

    positions = [(event.stream_id, event.version) for event in read_log(shop.engine)]
    assert stopped.exit_code == 130
    assert "At least 30 events were appended by this run" in stopped.stderr
    assert left == 30
    assert "there      30 events were in the log already" in second.stdout
    assert positions == [
        ("customer-ALICE", 1),
        ("product-11", 1),
        *((f"order-{number}", 1) for number in range(1, 21)),
        *((f"order-{number}", 2) for number in range(1, 21)),
    ]


def test_a_connection_that_breaks_is_told_with_how_to_go_on(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(monkeypatch, 1, psycopg.OperationalError("it is gone"))

    result = run_import(History(ORDERS).write(tmp_path / "old"))

    assert result.exit_code == 1
    assert "PostgreSQL went away: it is gone" in result.stderr
    assert "run the same command again" in result.stderr


def test_what_the_shop_did_with_an_order_since_is_fine(
    shop: Shop, tmp_path: Path
) -> None:
    folder = History([order(1)]).write(tmp_path / "old")
    run_import(folder)
    handle(shop, CancelOrder(order_id=1, reason="Too late"), "order-1")

    result = run_import(folder)

    assert result.exit_code == 0
    assert "nothing to do" in result.stdout


def test_a_stream_that_is_used_otherwise_is_refused_by_name(
    shop: Shop, tmp_path: Path
) -> None:
    command = parse(RegisterCustomer, {"customer_id": "ALICE", "name": "Another"})
    handle(shop, command, "customer-ALICE")

    result = run_import(History([order(1)]).write(tmp_path / "old"))

    assert result.exit_code == 1
    assert "customer-ALICE has other events" in result.stderr
    assert len(read_log(shop.engine)) == 1
    assert last_number(shop.engine) == 0


def test_an_order_that_went_another_way_here_is_refused_by_name(
    shop: Shop, tmp_path: Path
) -> None:
    run_import(History([order(1)]).write(tmp_path / "old"))
    handle(shop, CancelOrder(order_id=1, reason="Too late"), "order-1")

    shipped = History([order(1, shipped_date="1996-07-16")]).write(tmp_path / "old")
    result = run_import(shipped)

    assert result.exit_code == 1
    assert "order-1 has other events" in result.stderr


def test_at_most_twenty_streams_are_named(shop: Shop, tmp_path: Path) -> None:
    folder = History(ORDERS).write(tmp_path / "old")
    run_import(folder)

    result = run_import(folder, "--source", "new")

    named = [text for text in result.stderr.splitlines() if text.startswith("  ")]
    assert len(named) == 20
    assert named[0] == "  customer-ALICE was imported as --source 'old'"
    assert "… and 1 more" in result.stderr


def test_a_newer_export_brings_what_is_new(shop: Shop, tmp_path: Path) -> None:
    run_import(History([order(2)], [customer()]).write(tmp_path / "old"))

    newer = [order(1, "1996-07-01"), order(2, shipped_date="1996-07-16")]
    result = run_import(History(newer).write(tmp_path / "old"))

    log = [(event.stream_id, event.version) for event in read_log(shop.engine)]
    assert result.exit_code == 0, result.output
    assert log == [
        ("customer-ALICE", 1),
        ("product-11", 1),
        ("order-2", 1),
        ("order-1", 1),
        ("order-2", 2),
    ]


def test_a_row_that_was_bad_and_is_corrected_is_brought_by_the_next_run(
    shop: Shop, tmp_path: Path
) -> None:
    bad = [order(1, "1996-07-01", freight="free"), order(2)]
    run_import(History(bad).write(tmp_path / "old"), "--skip-bad")

    good = [order(1, "1996-07-01"), order(2)]
    result = run_import(History(good).write(tmp_path / "old"))

    assert result.exit_code == 0, result.output
    assert [event.stream_id for event in read_log(shop.engine)][3:] == ["order-1"]


@pytest.mark.parametrize("change", ["content", "timezone"])
def test_what_is_in_the_log_with_other_content_is_refused_by_name(
    shop: Shop, tmp_path: Path, change: str
) -> None:
    run_import(History([order(1)]).write(tmp_path / "old"))

    if change == "timezone":
        tokyo = replace(shop.settings, timezone=ZoneInfo("Asia/Tokyo"))
        wiring.use(Shop(tokyo))
        lines = [line(1)]
    else:
        lines = [line(1, quantity="3")]
    result = run_import(History([order(1)], lines=lines).write(tmp_path / "old"))

    wiring.shop().engine.dispose()
    assert result.exit_code == 1
    assert "order-1 was imported with other content" in result.stderr


def test_another_currency_than_the_shops_is_refused_by_name(
    shop: Shop, tmp_path: Path
) -> None:
    result = run_import(History([order(1)]).write(tmp_path / "old"), currency="USD")

    assert result.exit_code == 1
    assert "the files are in USD, and CURRENCY is EUR" in result.stderr


def test_a_log_in_another_currency_is_refused(shop: Shop, tmp_path: Path) -> None:
    run_import(History([order(1)]).write(tmp_path / "old"))
    wiring.use(Shop(replace(shop.settings, currency="USD")))

    folder = History([order(2)]).write(tmp_path / "new")
    result = run_import(folder, currency="USD")

    wiring.shop().engine.dispose()
    assert result.exit_code == 1
    assert "the files are in USD, the log's amounts in EUR" in result.stderr


@pytest.mark.parametrize(
    "options", [["--currency", "usd"], [], ["--currency", "EUR", "--source", " "]]
)
def test_a_call_that_is_wrong_is_answered_with_the_usage(
    shop: Shop, tmp_path: Path, options: list[str]
) -> None:
    result = CliRunner().invoke(import_history, [str(tmp_path), *options])

    assert result.exit_code == 2


def test_a_run_that_died_before_the_read_models_had_followed_is_ended_by_the_next(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = History(ORDERS).write(tmp_path / "old")
    with monkeypatch.context() as patch:
        patch.setattr("cli.importing.follow", lambda _: iter([0]))
        run_import(folder)
    second = run_import(folder)

    assert "nothing to do" in second.stdout
    assert not any(standing.lag for standing in find_live_standings(shop))


def test_a_name_that_cannot_be_seen_is_refused(shop: Shop, tmp_path: Path) -> None:
    folder = History(ORDERS).write(tmp_path / "old")

    assert run_import(folder, "--source", "a\nb").exit_code == 2
