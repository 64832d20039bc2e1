"""One order with its lines, its sums and its history."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from readmodels import order_details
from readmodels.order_details import OrderDetailsView
from readmodels.order_parts import Line
from tasks.shop.wiring import Shop
from tests.support.desk import (
    CHRISTMAS,
    CLOCK,
    LONDON,
    Do,
    alice,
    cancel,
    deliver,
    pay,
    place,
    refund,
    rename,
    return_all,
    ship,
    three_clocks,
    to_paris,
)


def details(shop: Shop, order_id: int = 1) -> OrderDetailsView:
    with shop.engine.connect() as connection:
        found = order_details.find(connection, order_id)
    assert found is not None
    return found


def test_an_order_has_its_lines_and_their_sums(shop: Shop, do: Do) -> None:
    reduced = replace(CLOCK, product_id="42", discount=Decimal("0.15"))
    do(alice, replace(place, items=(reduced, replace(CLOCK, product="LAMP"))))
    order = details(shop)

    assert order.lines == (
        Line(
            number=1,
            product="RETRO-CLOCK",
            product_id="42",
            quantity=2,
            shipped=0,
            returned=0,
            unit_price=4_950,
            discount=Decimal("0.15"),
            amount=8_415,
        ),
        Line(
            number=2,
            product="LAMP",
            product_id=None,
            quantity=2,
            shipped=0,
            returned=0,
            unit_price=4_950,
            discount=Decimal(0),
            amount=9_900,
        ),
    )
    assert (order.gross, order.total) == (19_800, 18_315)


def test_an_order_says_where_it_goes_and_when_it_is_needed(shop: Shop, do: Do) -> None:
    do(alice, replace(place, required_date=date(2026, 12, 24), freight=450))
    order = details(shop)

    assert (order.address, order.required_date, order.freight) == (
        LONDON,
        date(2026, 12, 24),
        450,
    )


def test_the_history_says_what_happened_in_order(shop: Shop, do: Do) -> None:
    do(alice, place, pay, ship, deliver)
    order = details(shop)

    assert [(h.event, h.version, h.told) for h in order.history] == [
        ("OrderCreated", 1, {"total": 10_899, "lines": 2}),
        ("PaymentReceived", 2, {"amount": 10_899, "payment": 1}),
        ("OrderShipped", 3, {"tracking_no": "1Z-999"}),
        ("DeliveryConfirmed", 4, {"delivered_at": "2026-12-24T00:00:00+00:00"}),
    ]
    assert (order.status, order.version) == ("delivered", 4)
    assert (order.paid_at, order.shipped_at, order.delivered_at) == (
        order.history[1].occurred_at,
        order.history[2].occurred_at,
        CHRISTMAS,
    )


def test_the_history_says_who_and_because_of_what(shop: Shop, do: Do) -> None:
    do(alice, place)
    (happening,) = details(shop).history

    assert (happening.actor, happening.position) == ("staff", 2)
    assert happening.causation_id == happening.command_id is not None


def test_a_cancelled_order_says_why(shop: Shop, do: Do) -> None:
    do(alice, place, cancel)
    order = details(shop)

    assert order.status == "cancelled"
    assert order.history[-1].told == {"reason": "bought it twice"}


def test_whatever_happens_the_first_line_of_the_history_stays(
    shop: Shop, do: Do
) -> None:
    do(alice, place)
    (first,) = details(shop).history
    do(three_clocks, to_paris, replace(pay, amount=15_849), ship, return_all, refund)

    history = details(shop).history
    assert history[0] == first
    assert first.told == {"total": 10_899, "lines": 2}
    assert [line.version for line in history] == [1, 2, 3, 4, 5, 6, 7]


def test_a_new_name_is_on_the_order_too(shop: Shop, do: Do) -> None:
    do(alice, place, rename)
    order = details(shop)

    assert (order.customer_name, order.customer_email) == (
        "Alice Retro",
        "retro@example.com",
    )


def test_an_order_that_nobody_placed_is_not_there(shop: Shop) -> None:
    with shop.engine.connect() as connection:
        assert order_details.find(connection, 1) is None


@pytest.mark.parametrize("size", [1, 2, 500])
def test_the_size_of_a_batch_makes_no_difference(shop: Shop, do: Do, size: int) -> None:
    from eventstore.log.read import settled
    from eventstore.projections.project import subscription_of
    from eventstore.rebuilding.filling import read_up_to

    do(alice, place, pay, rename, ship, place)
    before = [details(shop, 1), details(shop, 2)]
    with shop.lent() as connection:
        connection.execute("TRUNCATE readmodels.order_details_g1")
        connection.execute("TRUNCATE readmodels.order_details_g1_customers")
        # From the beginning: as the owner can, past the trigger.
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE subscriptions SET checkpoint = 0, event_id = NULL")
        connection.execute("RESET session_replication_role")
        subscription = subscription_of(order_details.projection, 1)
        masters = shop.deciders.masters
        subscription = replace(subscription, batch=size, masters=masters)
        read_up_to(connection, subscription, settled(connection), lambda _: None)

    assert [details(shop, 1), details(shop, 2)] == before
