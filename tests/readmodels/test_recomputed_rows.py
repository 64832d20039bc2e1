"""One row that is made once more is the row that a rebuild makes."""

from random import Random
from typing import Any

import psycopg
import pytest
from psycopg import sql

from domain.accounts.commands import Deposit, OpenAccount
from domain.customers.commands import ForgetCustomer
from eventstore.errors import ReadModelOutdated, RebuildFailed
from eventstore.projections.generations import live_generations
from eventstore.projections.projection import Key, Projection
from eventstore.projections.table import Table
from eventstore.projections.tables import tables_of
from eventstore.rebuilding.one_row import recompute_row
from eventstore.rebuilding.rebuild import rebuild
from readmodels import ALL
from readmodels.rows_in_words import Words
from tasks import catch_up
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, pay, place, rename
from tests.support.parking import park_stream
from tests.support.shop_histories import ShopHistory

MODELS = [
    one
    for one in ALL
    # Lines of a statement are not called after a stream.
    if one.key in one.streams
]
BY_NAME = {one.name: one for one in ALL}


def live_table(connection: psycopg.Connection[Any], projection: Projection) -> Table:
    number = live_generations(connection)[projection.name].number
    return tables_of(projection, number).rows


def all_rows(
    connection: psycopg.Connection[Any], projection: Projection
) -> dict[Key, Any]:
    table = live_table(connection, projection)
    keys = connection.execute(
        sql.SQL("SELECT {} FROM {}").format(sql.Identifier(table.key), table.identifier)
    ).fetchall()
    return table.loaded(table.load([key for (key,) in keys]).send(connection))


def spoil(
    connection: psycopg.Connection[Any], projection: Projection, key: Key, how: int
) -> None:
    """Change a row, or delete it."""
    table = live_table(connection, projection)
    column = next(
        column
        for column in table.columns.values()
        if column.kind == "bigint"
        and column.name not in (table.key, *projection.streams)
    )
    statements = [
        "DELETE FROM {table} WHERE {key} = %s",
        "UPDATE {table} SET {column} = {column} + 1 WHERE {key} = %s",
    ]
    connection.execute(
        sql.SQL(statements[how]).format(
            table=table.identifier,
            key=sql.Identifier(table.key),
            column=column.identifier,
        ),
        (key,),
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_row_of_a_random_history_is_made_as_a_rebuild_makes_it(
    shop: Shop, seed: int
) -> None:
    """A hundred rows: `benchmarks.rebuilding keys` tries ten thousand."""
    chance = Random(seed)
    with shop.lent() as connection:
        ShopHistory.of(seed).append(connection, 150)
        catch_up.run(shop)
        for projection in MODELS:
            rebuild(connection, projection)
            expected = all_rows(connection, projection)
            for key in chance.sample(list(expected), min(8, len(expected))):
                spoil(connection, projection, key, chance.randrange(2))
                made = recompute_row(connection, projection, str(key))

                assert made.row == expected[key]
                assert made.difference is not None
            assert all_rows(connection, projection) == expected


def test_a_row_that_is_right_is_not_written(shop: Shop, do: Do) -> None:
    do(alice, place, pay)
    with shop.lent() as connection:
        before = connection.execute("SELECT xmin FROM readmodels.order_list_g1")
        found = before.fetchall()
        made = recompute_row(connection, BY_NAME["order_list"], "1", masters=keys(shop))

        assert made.difference is None
        after = connection.execute("SELECT xmin FROM readmodels.order_list_g1")
        assert after.fetchall() == found


def keys(shop: Shop) -> Any:
    return shop.deciders.masters


def test_what_differed_is_said_in_the_shops_words(shop: Shop, do: Do) -> None:
    do(alice, place, pay)
    projection = BY_NAME["order_list"]
    with shop.lent() as connection:
        connection.execute(
            "UPDATE readmodels.order_list_g1 SET total = total + 1, status = 'pending'"
        )
        made = recompute_row(connection, projection, "1", masters=keys(shop))
    assert made.difference is not None
    sentence = Words("order_id", "EUR").sentence(made.difference)

    assert made.row is not None
    total = made.row.total / 100
    assert sentence == (
        f"order 1: total {total:,.2f}, was {total + 0.01:,.2f};"
        " status paid, was pending"
    )


def test_a_line_of_a_statement_is_not_said_in_the_shops_currency(
    shop: Shop, do: Do
) -> None:
    do(OpenAccount(account_id="A", currency="JPY"), Deposit(account_id="A", amount=500))
    with shop.lent() as connection:
        connection.execute("UPDATE readmodels.account_statement_g1 SET balance = 1")
        [(key,)] = connection.execute(
            "SELECT position FROM readmodels.account_statement"
        )
        projection = BY_NAME["account_statement"]
        made = recompute_row(connection, projection, str(key), masters=keys(shop))
    assert made.difference is not None

    sentence = Words("position", "EUR").sentence(made.difference)

    assert "balance 500 minor units, was 1 minor units" in sentence


def test_a_row_that_no_stream_feeds_is_deleted(shop: Shop, do: Do) -> None:
    do(alice, place)
    with shop.lent() as connection:
        connection.execute("UPDATE readmodels.order_list_g1 SET order_id = 999")
        gone = recompute_row(
            connection, BY_NAME["order_list"], "999", masters=keys(shop)
        )
        back = recompute_row(connection, BY_NAME["order_list"], "1", masters=keys(shop))
        found = connection.execute("SELECT order_id FROM readmodels.order_list")
        assert found.fetchall() == [(1,)]

    assert gone.row is None
    assert gone.difference is not None
    assert back.difference is not None
    words = Words("order_id", "EUR")
    assert words.sentence(gone.difference) == "order 999: it is not there any more"
    assert words.sentence(back.difference) == "order 1: it was not there"


def test_a_line_of_a_statement_is_found_by_the_row_itself(shop: Shop) -> None:
    projection = BY_NAME["account_statement"]
    with shop.lent() as connection:
        ShopHistory.of(3).append(connection, 200)
        catch_up.run(shop)
        expected = all_rows(connection, projection)
        key = max(expected)
        connection.execute(
            "UPDATE readmodels.account_statement_g1 SET balance = 0 - 1"
            " WHERE position = %s",
            (key,),
        )
        made = recompute_row(connection, projection, str(key))
        assert made.row == expected[key]
        assert all_rows(connection, projection) == expected
        with pytest.raises(RebuildFailed, match="there is no such row"):
            recompute_row(connection, projection, "999999")


@pytest.mark.parametrize(
    ("name", "key", "words"),
    [
        ("ordered_products", "chai", "does not say which streams"),
        ("order_list", "ALFKI", "its keys are numbers"),
    ],
)
def test_a_row_whose_streams_nobody_knows_is_refused(
    shop: Shop, do: Do, name: str, key: str, words: str
) -> None:
    do(alice, place)
    with shop.lent() as connection, pytest.raises(RebuildFailed, match=words):
        recompute_row(connection, BY_NAME[name], key)


def test_a_parked_stream_is_left_out_and_said(shop: Shop, do: Do) -> None:
    do(alice, place)
    park_stream(shop, "order_list", "order-1", 3)
    do(pay)
    with shop.lent() as connection:
        made = recompute_row(connection, BY_NAME["order_list"], "1", masters=keys(shop))

    assert made.parked == ("order-1",)
    assert made.row is not None
    assert made.row.status == "pending"


def test_a_forgotten_customer_stays_forgotten(shop: Shop, do: Do) -> None:
    do(alice, place, rename, ForgetCustomer(customer_id="ALICE"))
    with shop.lent() as connection:
        for projection, key in (
            (BY_NAME["order_list"], "1"),
            (BY_NAME["customers"], "ALICE"),
        ):
            expected = all_rows(connection, projection)
            made = recompute_row(connection, projection, key, masters=keys(shop))
            assert made.difference is None
            assert all_rows(connection, projection) == expected


def test_rows_of_another_definition_are_left_alone(shop: Shop, do: Do) -> None:
    do(alice, place)
    with shop.lent() as connection:
        connection.execute("UPDATE generations SET shape = 'x'")
        with pytest.raises(ReadModelOutdated):
            recompute_row(connection, BY_NAME["order_list"], "1")
