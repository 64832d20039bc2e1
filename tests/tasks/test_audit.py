"""The audit finds each row that is not what its events make, and repairs none."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from eventstore.explaining.audit import Audit
from eventstore.explaining.audit_records import (
    OF_LOG,
    load_walks,
)
from eventstore.explaining.live_rows import LiveRows, find_live_rows
from eventstore.explaining.page_walk import rows_on_page
from eventstore.projections.table import Table
from eventstore.rebuilding.rebuild import rebuild
from readmodels import ALL, order_list
from tasks import audit, catch_up
from tasks.shop.wiring import Shop
from tasks.stores.store_audit import StoreAudit
from tests.support.auditing import found, known, look, run_sql
from tests.support.command_histories import happen, random_commands
from tests.support.desk import Do, alice, bob, pay, place
from tests.support.fed_store import settle, written
from tests.support.memory_row_store import MemoryRowStore
from tests.support.parking import park_stream


@pytest.mark.parametrize("seed", [5])
def test_rows_that_are_right_are_looked_at_and_none_is_wrong(
    shop: Shop, seed: int
) -> None:
    happen(shop, *random_commands(Random(seed), 40))
    catch_up.run(shop)
    report = look(shop)

    with shop.lent() as connection:
        rows = connection.execute(
            " UNION ALL ".join(
                f"SELECT count(*) FROM readmodels.{projection.name}"
                for projection in ALL
            ).encode()
        ).fetchall()
        walks = load_walks(connection)
    assert (report.wrong, report.left_out) == ([], 0)
    assert report.rows >= sum(count for (count,) in rows)
    # Each has its round, and the log has one, too.
    assert {name for name, walk in walks.items() if walk.rounds} == {
        OF_LOG,
        *(projection.name for projection in ALL),
    }


CORRUPTIONS: Sequence[tuple[str, tuple[str, str, str]]] = [
    (
        "UPDATE readmodels.order_list_g1 SET total = total + 1 WHERE order_id = 1",
        ("order_list", "1", "changed"),
    ),
    (
        "UPDATE readmodels.order_details_g1 SET lines = '[]' WHERE order_id = 2",
        ("order_details", "2", "changed"),
    ),
    (
        "UPDATE readmodels.order_list_g1 SET customer_id = 'BOB' WHERE order_id = 2",
        ("order_list", "2", "changed"),
    ),
    (
        "DELETE FROM readmodels.order_list_g1 WHERE order_id = 2",
        ("order_list", "2", "missing"),
    ),
    (
        "DELETE FROM readmodels.customers_g1 WHERE customer_id = 'BOB'",
        ("customers", "BOB", "missing"),
    ),
    (
        "INSERT INTO readmodels.accounts_g1"
        " (account_id, version, status, balance, currency, opened_at, needs_a_look)"
        " VALUES ('GHOST', 1, 'open', 5, 'EUR', now(), false)",
        ("accounts", "GHOST", "unexpected"),
    ),
    (
        "UPDATE readmodels.customers_g1 SET worth = 0 WHERE customer_id = 'ALICE'",
        ("customers", "ALICE", "changed"),
    ),
    (
        "UPDATE readmodels.figures_g1 SET total = total - 1",
        ("figures", "orders", "changed"),
    ),
    (
        "DELETE FROM readmodels.ordered_products_g1 WHERE product = 'LAMP'",
        ("ordered_products", "LAMP", "missing"),
    ),
    (
        "INSERT INTO readmodels.ordered_products_g1"
        " VALUES ('GHOST', NULL, 1, 1, now())",
        ("ordered_products", "GHOST", "unexpected"),
    ),
]


def test_each_kind_of_wrong_row_is_found_and_none_is_repaired(
    shop: Shop, do: Do, caplog: pytest.LogCaptureFixture
) -> None:
    do(alice, bob, place, place, pay)
    expected: set[tuple[str, str, str]] = set()
    for statement, wrong in CORRUPTIONS:
        run_sql(shop, statement)
        # Two of one row are one.
        expected -= {one for one in expected if one[:2] == wrong[:2]}
        expected.add(wrong)

    report = look(shop, folds=True)

    assert found(report) == sorted(expected)
    assert found(look(shop, folds=True)) == sorted(expected)
    assert known(shop) == sorted({(name, key) for name, key, _ in expected})
    [total] = [one for one in report.wrong if one.key == 1]
    assert total.columns == ["total"]
    assert (total.shown, total.wanted) != (None, None)
    with caplog.at_level(logging.ERROR):
        audit.tell(report)
    assert "read_model=customers key=ALICE place=table kind=changed" in caplog.text
    assert "alice@example.com" not in caplog.text


def test_a_row_that_was_mended_is_not_wrong_any_more(shop: Shop, do: Do) -> None:
    do(alice, place, pay)
    run_sql(shop, "UPDATE readmodels.order_list_g1 SET total = 0")
    run_sql(shop, "UPDATE readmodels.order_details_g1 SET total = 0")
    look(shop)
    assert known(shop) == [("order_details", "1"), ("order_list", "1")]

    run_sql(shop, "UPDATE readmodels.order_list_g1 SET total = 10899")
    look(shop, rows=0)
    assert known(shop) == [("order_details", "1")]
    with shop.lent() as connection:
        masters = shop.deciders.masters
        for projection in ALL:
            rebuild(connection, projection, masters=masters, accept_differences=None)
    look(shop, rows=0)
    assert known(shop) == []


def test_rows_of_parked_streams_are_left_out(shop: Shop, do: Do) -> None:
    do(alice, place, place)
    park_stream(shop, "order_list", "order-1", 4)
    do(pay)

    report = look(shop)

    assert report.wrong == []
    assert report.left_out


@pytest.fixture
def paid_meanwhile(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order that is paid between the looks at the checkpoint and at the row."""
    do(alice, place)
    once = iter([True])

    def while_it_is_paid(connection: Any, table: Table, page: int) -> Any:
        if table.name == "order_list_g1" and next(once, False):
            do(pay)
        return rows_on_page(connection, table, page)

    monkeypatch.setattr(
        "eventstore.explaining.audit_steps.rows_on_page", while_it_is_paid
    )


def test_a_row_that_moves_meanwhile_is_not_called_wrong(
    shop: Shop, paid_meanwhile: None
) -> None:
    assert look(shop).wrong == []
    with shop.lent() as connection:
        paid = connection.execute("SELECT status FROM readmodels.order_list").fetchall()
    assert paid == [("paid",)]


def test_without_one_moment_it_would_be(
    shop: Shop, paid_meanwhile: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.explaining.audit_steps.one_moment", nullcontext)

    assert look(shop).wrong


def test_a_read_model_of_another_definition_is_left_alone(shop: Shop, do: Do) -> None:
    do(alice, place)
    run_sql(
        shop, "UPDATE generations SET shape = 'old' WHERE read_model = 'order_list'"
    )

    report = look(shop)

    assert report.outdated == {order_list.projection.name}
    assert report.wrong == []


def test_a_row_that_cannot_be_read_is_left_out_and_no_other(shop: Shop, do: Do) -> None:
    do(alice, *[place] * 12)
    run_sql(
        shop,
        "UPDATE readmodels.order_details_g1 SET lines = '[7]' WHERE order_id = 2",
        "UPDATE readmodels.order_details_g1 SET total = 1 WHERE order_id = 12",
    )

    report = look(shop)

    assert report.left_out
    assert ("order_details", "12", "changed") in found(report)


def test_a_read_model_whose_table_was_dropped_stops_no_other(
    shop: Shop, do: Do
) -> None:
    do(alice, place)
    run_sql(
        shop,
        "DROP TABLE readmodels.order_details_g1 CASCADE",
        "UPDATE readmodels.order_list_g1 SET total = 1",
    )

    report = look(shop)

    assert report.outdated == {"order_details"}
    assert found(report) == [("order_list", "1", "changed")]


def test_a_copy_in_a_store_that_is_otherwise_is_found(
    shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(alice, place, place)
    store = MemoryRowStore([order_list.projection])
    with written(shop, store) as writer:
        settle(writer)
    shelf = store.load_shelf("order_list")
    assert shelf is not None
    assert shelf.serving is not None
    rows = store.content.rows[shelf.serving.name()]
    row: Any = rows[2].row
    rows[2] = rows[2]._replace(row=replace(row, total=1))
    with shop.lent() as connection:
        elsewhere = StoreAudit(connection, [store])
        auditing = Audit(
            connection,
            shop.projections,
            shop.deciders.masters,
            look_elsewhere=elsewhere.find_wrong,
        )
        report = auditing.run()

    assert {(one.key, one.place, one.kind) for one in report.wrong} == {
        (2, "memory", "different")
    }
    assert known(shop) == [("order_list", "2")]

    is_closed: list[bool] = []
    monkeypatch.setattr(store, "close", lambda: is_closed.append(True))
    store.is_away = True
    with shop.lent() as connection:
        elsewhere = StoreAudit(connection, [store])
        assert list(elsewhere.find_wrong(live_rows(shop), [2])) == []
    assert is_closed


def test_a_row_that_a_store_alone_has_is_found(shop: Shop, do: Do) -> None:
    do(alice, *[place] * 5)
    store = MemoryRowStore([order_list.projection])
    with written(shop, store) as writer:
        settle(writer)
    shelf = store.load_shelf("order_list")
    assert shelf is not None
    assert shelf.serving is not None
    rows = store.content.rows[shelf.serving.name()]
    rows[35] = rows[3]
    live = live_rows(shop)

    found = set()
    for _ in range(100):
        with shop.lent() as connection:
            elsewhere = StoreAudit(connection, [store])
            found |= {one.key for one in elsewhere.find_wrong(live, [1, 2, 3, 4, 5])}
        if found:
            break

    assert found == {35}


def live_rows(shop: Shop) -> LiveRows:
    with shop.lent() as connection:
        return find_live_rows(connection, order_list.projection)
