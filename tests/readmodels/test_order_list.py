"""The list of orders, from an accepted command to the line that staff read."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from eventstore.errors import BadCursor
from eventstore.projections.views import Page
from readmodels import order_list
from readmodels.order_summary import OrderSummaryView
from tasks.shop.wiring import Shop
from tests.support.desk import (
    CLOCK,
    Do,
    alice,
    bob,
    cancel,
    deliver,
    pay,
    place,
    rename,
    ship,
)

DEEP = base64.urlsafe_b64encode(b"[" * 3_000 + b"]" * 3_000).decode()


def found(shop: Shop, **asked: Any) -> Page[OrderSummaryView]:
    with shop.engine.connect() as connection:
        return order_list.find(connection, **asked)


def newest(shop: Shop, **asked: Any) -> Sequence[OrderSummaryView]:
    return found(shop, **asked).rows


def test_an_order_is_a_line_of_its_own(shop: Shop, do: Do) -> None:
    do(alice, place)
    (line,) = newest(shop)

    assert line == OrderSummaryView(
        order_id=1,
        customer_id="ALICE",
        customer_name="Alice",
        customer_email="alice@example.com",
        total=10_899,
        due=10_899,
        credit=0,
        currency="EUR",
        status="pending",
        item_count=2,
        parcels=0,
        tracking_number=None,
        created_at=line.created_at,
        terms=None,
        required_date=None,
        city="London",
        products=("RETRO-CLOCK", "LAMP"),
    )


def test_a_line_tells_when_its_order_was_created(shop: Shop, do: Do) -> None:
    do(alice, place)
    with shop.engine.connect() as connection:
        happened = connection.exec_driver_sql(
            "SELECT occurred_at FROM events WHERE stream_id = 'order-1'"
        ).scalar_one()

    assert newest(shop)[0].created_at == happened


def test_the_email_of_a_customer_may_be_unknown(shop: Shop, do: Do) -> None:
    do(replace(alice, email=None), place)

    assert newest(shop)[0].customer_email is None


def test_a_customer_who_has_a_number_is_on_the_line(shop: Shop, do: Do) -> None:
    do(replace(alice, customer_id=None), replace(place, customer_id="1"))

    assert newest(shop)[0].customer_name == "Alice"


def test_a_cancelled_order_stays_on_the_list(shop: Shop, do: Do) -> None:
    do(alice, place, cancel)

    assert [line.status for line in newest(shop)] == ["cancelled"]


def test_cancelling_changes_the_status_and_what_is_due(shop: Shop, do: Do) -> None:
    do(alice, place)
    (before,) = newest(shop)
    do(cancel)

    assert newest(shop) == [replace(before, status="cancelled", due=0)]


def test_cancelling_one_order_leaves_the_others(shop: Shop, do: Do) -> None:
    do(alice, place, place, cancel)

    assert [(line.order_id, line.status) for line in newest(shop)] == [
        (2, "pending"),
        (1, "cancelled"),
    ]


def test_an_order_that_was_refused_is_not_on_the_list(shop: Shop, do: Do) -> None:
    do(place)

    assert newest(shop) == []


@pytest.fixture
def five_orders(shop: Shop, do: Do) -> Shop:
    do(alice, *[place] * 5)
    return shop


def numbers(lines: Sequence[OrderSummaryView]) -> list[int]:
    return [line.order_id for line in lines]


def test_the_newest_order_comes_first(five_orders: Shop) -> None:
    assert numbers(newest(five_orders)) == [5, 4, 3, 2, 1]


def test_the_list_is_as_long_as_asked_for(five_orders: Shop) -> None:
    assert numbers(newest(five_orders, limit=2)) == [5, 4]


def test_the_list_goes_on_where_a_page_ended(five_orders: Shop) -> None:
    first = found(five_orders, limit=2)
    second = found(five_orders, limit=2, after=first.following)
    third = found(five_orders, limit=2, after=second.following)

    assert numbers(second.rows) == [3, 2]
    assert (numbers(third.rows), third.following) == ([1], None)


def test_the_line_follows_the_order_to_its_door(shop: Shop, do: Do) -> None:
    do(alice, place)
    seen = []
    for command in (pay, ship, deliver):
        do(command)
        (line,) = newest(shop)
        seen.append((line.status, line.tracking_number))

    assert seen == [("paid", None), ("shipped", "1Z-999"), ("delivered", "1Z-999")]


def test_a_new_name_is_on_all_lines_of_its_customer_and_on_no_other(
    shop: Shop, do: Do
) -> None:
    bobs = replace(place, customer_id="BOB")
    do(alice, bob, place, bobs, place, rename, place)

    assert [(line.order_id, line.customer_name) for line in newest(shop)] == [
        (4, "Alice Retro"),
        (3, "Alice Retro"),
        (2, "Bob"),
        (1, "Alice Retro"),
    ]
    assert {line.customer_email for line in newest(shop)} == {
        "retro@example.com",
        None,
    }


def test_names_change_in_order_within_a_batch(shop: Shop, do: Do) -> None:
    again = replace(rename, name="Alice Again")
    do(alice, place, rename, again, place)

    assert {line.customer_name for line in newest(shop)} == {"Alice Again"}


@pytest.fixture
def desk(shop: Shop, do: Do) -> Shop:
    """Four orders: Alice's 1 is shipped, 3 is cancelled; Bob's 2 and 4 are pending."""
    dear = replace(place, customer_id="BOB", items=(replace(CLOCK, quantity=9),))
    do(alice, bob, place, dear, place, replace(dear, items=(CLOCK,)))
    do(pay, ship, replace(cancel, order_id=3))
    return shop


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"status": "shipped"}, [1]),
        ({"status": "pending"}, [4, 2]),
        ({"status": "delivered"}, []),
        ({"customer_id": "ALICE"}, [3, 1]),
        ({"customer_id": "ALICE", "status": "cancelled"}, [3]),
        ({"customer_id": "alice"}, []),
        ({"search": "alice"}, [3, 1]),
        ({"search": "ALI"}, [3, 1]),
        ({"search": "bob 4"}, [4]),
        ({"search": "1z 999"}, [1]),
        ({"search": "1Z-999"}, [1]),
        ({"search": "example.com"}, [3, 1]),
        ({"search": "2"}, [2]),
        ({"search": "lamp 4"}, []),
        ({"search": "clock london bob"}, [4, 2]),
        ({"search": "lice"}, [3, 1]),
        ({"search": "nobody"}, []),
        ({"search": "--"}, []),
        ({"search": "'\\ & ! ( alice"}, [3, 1]),
        ({"search": "alice", "status": "shipped"}, [1]),
        ({"sort": "order"}, [1, 2, 3, 4]),
        ({"sort": "total"}, [4, 1, 3, 2]),
        ({"sort": "-total"}, [2, 3, 1, 4]),
        ({"sort": "customer"}, [1, 3, 2, 4]),
        ({"sort": "placed"}, [1, 2, 3, 4]),
    ],
)
def test_the_list_has_what_was_asked_for(
    desk: Shop, asked: dict[str, Any], expected: list[int]
) -> None:
    assert numbers(newest(desk, **asked)) == expected


def test_accents_and_capitals_make_no_difference(shop: Shop, do: Do) -> None:
    do(replace(alice, name="Königlich Essen GmbH"), place)

    assert numbers(newest(shop, search="koniglich")) == [1]
    assert numbers(newest(shop, search="KÖNIG gmbh")) == [1]


def test_a_renamed_customer_is_found_by_the_new_name_alone(shop: Shop, do: Do) -> None:
    do(alice, place, replace(rename, name="Zoe", email=None))

    assert numbers(newest(shop, search="zoe")) == [1]
    assert numbers(newest(shop, search="example")) == []


@pytest.mark.parametrize(
    "sort",
    [f"{sign}{name}" for name in order_list.view.sorts for sign in ("", "-")],
)
def test_page_by_page_every_line_is_there_once(desk: Shop, sort: str) -> None:
    seen: list[int] = []
    after = None
    while True:
        page = found(desk, sort=sort, after=after, limit=1)
        seen += numbers(page.rows)
        after = page.following
        if after is None:
            break

    assert seen == numbers(newest(desk, sort=sort))
    assert sorted(seen) == [1, 2, 3, 4]


def test_what_comes_in_meanwhile_moves_no_line_to_another_page(
    desk: Shop, do: Do
) -> None:
    first = found(desk, limit=2)
    do(place)
    second = found(desk, limit=2, after=first.following)

    assert numbers(second.rows) == [2, 1]


@pytest.mark.parametrize(
    "after",
    ["", "x", "%%%", "bnVsbA", "W10", "WyItb3JkZXIiLCJ4IiwxXQ", "é" * 8, DEEP],
)
def test_what_is_no_cursor_is_refused(desk: Shop, after: str) -> None:
    with pytest.raises(BadCursor):
        found(desk, after=after)


def test_a_cursor_of_another_order_of_lines_is_refused(desk: Shop) -> None:
    with pytest.raises(BadCursor):
        found(desk, sort="total", after=found(desk, limit=1).following)


def test_a_name_that_grows_in_lower_case_stops_no_list(shop: Shop, do: Do) -> None:
    """One letter of these comes to eighteen; an index takes 2,700 bytes."""
    do(replace(alice, name="\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 200))
    do(place)

    assert numbers(newest(shop)) == [1]
