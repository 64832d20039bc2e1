"""Why a value is so: answers about the shop's rows, held against following the log."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from domain.customers.commands import ForgetCustomer
from domain.forgotten import FORGOTTEN
from eventstore.explaining.explanation import ColumnChange, Explanation
from eventstore.explaining.why import Question, explain
from eventstore.projections.comments import personal_columns
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Key, Projection
from eventstore.projections.tables import tables_of
from eventstore.subscriptions.catch_up import advance
from readmodels import (
    ALL,
    customers,
    order_details,
    order_list,
    ordered_products,
    products,
)
from tasks.shop.wiring import Shop
from tests.support.command_histories import happen, random_commands
from tests.support.desk import (
    Do,
    add_clock,
    alice,
    pay,
    place,
    raise_price,
    rename,
    ship,
)
from tests.support.parking import park_stream

Values = Mapping[Key, Mapping[str, Any]]


def ask(
    shop: Shop, projection: Projection, key: Key, column: str, **asked: Any
) -> Explanation:
    masters = shop.deciders.masters
    question = Question(key=key, column=column, **asked)
    with shop.lent() as connection:
        return explain(connection, projection, question, masters=masters, limit=1_000)


def read_rows(shop: Shop, projection: Projection) -> Values:
    table = tables_of(projection, 1).rows
    with shop.lent() as connection:
        columns = ", ".join(
            f"{name}::text" if column.decode else name
            for name, column in table.columns.items()
        )
        rows = connection.execute(
            f"SELECT {columns} FROM readmodels.{table.name}".encode()
        ).fetchall()
    read = [table.read(row) for row in rows]
    return {
        getattr(row, projection.key): {
            field.name: getattr(row, field.name) for field in fields(row)
        }
        for row in read
    }


def follow_one_by_one(shop: Shop, projection: Projection) -> list[tuple[int, Values]]:
    """Return all rows of a read model after each event, as its reader makes them."""
    subscription = replace(
        subscription_of(projection, 1), masters=shop.deciders.masters, batch=1
    )
    found = []
    while True:
        with shop.transaction() as connection:
            step = advance(connection, subscription, 1)
        assert step is not None
        found.append((step.checkpoint, read_rows(shop, projection)))
        if step.is_last:
            return found


MISSING = object()


def histories_of(
    after_each: list[tuple[int, Values]], key: Key, column: str
) -> list[tuple[int, Any]]:
    """Return at which positions a value became another one, and which."""
    found: list[tuple[int, Any]] = []
    last: Any = MISSING
    for position, rows in after_each:
        value = rows[key][column] if key in rows else MISSING
        if value is not last and value != last:
            found.append((position, value))
        last = value
    return found


@pytest.mark.parametrize(
    "seed",
    # Of all of them together more than a thousand cells are asked.
    [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 5))],
)
def test_every_answer_is_what_following_the_log_one_by_one_shows(
    shop: Shop, seed: int
) -> None:
    random = Random(seed)
    happen(shop, *random_commands(random, 40), ForgetCustomer(customer_id="CAROL"))
    asked = 0
    for projection in ALL:
        after_each = follow_one_by_one(shop, projection)
        personal = personal_columns(projection.row)
        keys = list(after_each[-1][1])
        cells = [(key, f.name) for key in keys for f in fields(projection.row)]
        for key, column in random.sample(cells, min(len(cells), 60)):
            answer = ask(shop, projection, key, column)
            changes = [
                one
                for one in reversed(answer.changes)
                if one.makes_row or one.before != one.after
            ]
            told = [(one.position, one.after) for one in changes]
            assert told == histories_of(after_each, key, column)
            assert answer.value == after_each[-1][1][key][column]
            assert not answer.is_wrong
            assert answer.is_whole
            if len(changes) < len(answer.changes):
                assert column in personal
            assert_linked(answer.changes)
            asked += 1
    assert asked > 200


def assert_linked(changes: Any) -> None:
    """Each value was what the change after it found."""
    for later, earlier in pairwise(changes):
        assert later.before == earlier.after
        assert later.position > earlier.position


def test_an_answer_names_event_actor_command_and_what_was_before(
    shop: Shop, do: Do
) -> None:
    do(alice, place, pay)

    answer = ask(shop, order_list.projection, 1, "status")

    paid, placed = answer.changes
    assert (paid.type, paid.stream_id, paid.version) == (
        "PaymentReceived",
        "order-1",
        2,
    )
    assert (paid.before, paid.after, paid.actor) == ("pending", "paid", "staff")
    assert (paid.command_type, placed.command_type) == ("ReceivePayment", "PlaceOrder")
    assert (placed.makes_row, placed.before, placed.after) == (True, None, "pending")
    assert (answer.value, answer.earlier, answer.is_there) == ("paid", 0, True)


def test_an_update_of_many_rows_is_among_the_changes(shop: Shop, do: Do) -> None:
    do(alice, place, place, rename)

    newest, oldest = ask(shop, order_details.projection, 2, "customer_name").changes

    assert (newest.type, newest.stream_id) == (
        "CustomerDetailsChanged",
        "customer-ALICE",
    )
    assert (newest.before, newest.after) == ("Alice", "Alice Retro")
    assert oldest.type == "OrderCreated"


def test_as_of_a_position_and_as_of_a_time_give_the_value_of_then(
    shop: Shop, do: Do
) -> None:
    do(alice, place, pay)
    paid = ask(shop, order_list.projection, 1, "status").changes[0]
    do(ship)

    then = ask(shop, order_list.projection, 1, "status", position=paid.position)
    before = ask(
        shop,
        order_list.projection,
        1,
        "status",
        at=paid.occurred_at - timedelta(microseconds=1),
    )

    assert (then.value, before.value) == ("paid", "pending")
    assert len(then.changes) == 2
    assert not ask(
        shop, order_list.projection, 1, "status", at=datetime(1990, 1, 1, tzinfo=UTC)
    ).is_there


def test_of_the_forgotten_it_says_by_which_event_and_no_more(
    shop: Shop, do: Do
) -> None:
    do(alice, place, rename, ForgetCustomer(customer_id="ALICE"))

    for projection, key, column in (
        (order_list.projection, 1, "customer_name"),
        (order_details.projection, 1, "customer_name"),
        (customers.projection, "ALICE", "name"),
    ):
        answer = ask(shop, projection, key, column)

        assert answer.value == FORGOTTEN
        newest = answer.changes[0]
        assert (newest.type, newest.forgets) == ("CustomerForgotten", True)
        assert newest.command_type == "ForgetCustomer"
        assert "Alice" not in repr(answer)
    assert not forgetting_in(ask(shop, order_list.projection, 1, "status"))


def forgetting_in(answer: Explanation) -> list[ColumnChange]:
    return [one for one in answer.changes if one.forgets]


def test_a_row_of_all_orders_is_explained_by_all_of_them(shop: Shop, do: Do) -> None:
    do(alice, place, replace(place, customer_id="ALICE"), place)

    answer = ask(shop, ordered_products.projection, "LAMP", "times_ordered")

    assert [one.after for one in answer.changes] == [3, 2, 1]
    assert (answer.is_whole, answer.events) == (True, 3)


def test_where_not_all_events_are_folded_it_says_so(shop: Shop, do: Do) -> None:
    do(alice, place, place)
    question = Question(key="LAMP", column="times_ordered")

    with shop.lent() as connection:
        answer = explain(connection, ordered_products.projection, question, most=1)

    assert (answer.is_whole, answer.is_wrong) == (False, False)


def test_a_product_of_the_list_is_explained_by_its_own_events(
    shop: Shop, do: Do
) -> None:
    do(alice, add_clock, place, raise_price, place)

    answer = ask(shop, products.projection, "RC-1", "unit_price")

    raised, added = answer.changes
    assert (raised.stream_id, raised.type) == ("product-RC-1", "PriceChanged")
    assert (raised.before, raised.after, added.after) == (4_950, 5_250, 4_950)
    assert (answer.is_whole, answer.events) == (True, 2)


def test_what_is_parked_is_named_and_passed_over(shop: Shop, do: Do) -> None:
    do(alice, place)
    place_of_payment = ask(shop, order_list.projection, 1, "status").position + 1
    park_stream(shop, "order_list", "order-1", place_of_payment)
    do(pay)

    answer = ask(shop, order_list.projection, 1, "status")

    assert answer.value == "pending"
    assert [one.stream_id for one in answer.parked] == ["order-1"]


def test_a_row_that_shows_something_else_is_found(shop: Shop, do: Do) -> None:
    do(alice, place, pay)
    with shop.lent() as connection:
        connection.execute("UPDATE readmodels.order_list_g1 SET status = 'shipped'")

    answer = ask(shop, order_list.projection, 1, "status")

    assert (answer.is_wrong, answer.shown, answer.value) == (True, "shipped", "paid")


def test_of_what_never_was_nothing_is_told(shop: Shop, do: Do) -> None:
    do(alice, place)

    answer = ask(shop, order_list.projection, 7, "status")

    assert (answer.is_there, answer.changes) == (False, [])


def test_a_row_that_cannot_be_read_is_wrong_and_explained(shop: Shop, do: Do) -> None:
    do(alice, place, pay)
    with shop.lent() as connection:
        connection.execute("UPDATE readmodels.order_details_g1 SET lines = '[7]'")

    answer = ask(shop, order_details.projection, 1, "status")

    assert (answer.value, answer.is_wrong, answer.is_damaged) == ("paid", True, True)
    assert [one.after for one in answer.changes] == ["paid", "pending"]


def test_a_row_is_not_wrong_while_the_forgetting_is_unread(shop: Shop, do: Do) -> None:
    do(alice, place, rename)
    happen(shop, ForgetCustomer(customer_id="ALICE"), key="later")
    cells = (
        (order_list.projection, 1, "customer_name"),
        (order_details.projection, 1, "address"),
        (customers.projection, "ALICE", "name"),
    )

    for projection, key, column in cells:
        assert not ask(shop, projection, key, column).is_wrong
    do(pay)
    for projection, key, column in cells:
        assert not ask(shop, projection, key, column).is_wrong
    with shop.lent() as connection:
        connection.execute("UPDATE readmodels.customers_g1 SET name = 'Alice'")
    assert ask(shop, customers.projection, "ALICE", "name").is_wrong
