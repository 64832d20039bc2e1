"""The rules of an order: who can place one, what it costs, and what status it has."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest

from domain.customers.customer import Customer, CustomerIsForgotten, UnknownCustomer
from domain.fields import MAX_AMOUNT, MAX_LINES, MAX_QUANTITY, MAX_TOTAL
from domain.money import Money
from domain.orders import commands, events, rules
from domain.orders.lines import Line
from domain.orders.order import decide, reads
from domain.orders.state import Order
from domain.orders.status import Status
from tests.generated.history import sample
from tests.support import desk
from tests.support.desk import LONDON, cancel, deliver, pay, ship
from tests.support.order_events import (
    all_returned,
    cancelled,
    clock_returned,
    clock_shipped,
    delivered,
    more_clocks,
    noted,
    order,
    order_rules,
    paid,
    part_paid,
    placed,
    refunded,
    rest_paid,
    shipped,
    voided,
)

CLOCK = commands.Item(product="RETRO-CLOCK", quantity=2, unit_price=4_950)
LAMP = commands.Item(
    product="LAMP", quantity=1, unit_price=999, discount=Decimal("0.15")
)
place = commands.PlaceOrder(
    customer_id="ALICE",
    items=(CLOCK, LAMP),
    address=LONDON,
    currency="EUR",
    required_date=date(2026, 12, 24),
    freight=650,
)
created = events.OrderCreated(
    customer_id="ALICE",
    items=(
        Line(number=1, product="RETRO-CLOCK", quantity=2, unit_price=4_950),
        Line(
            number=2,
            product="LAMP",
            quantity=1,
            unit_price=999,
            discount=Decimal("0.15"),
        ),
    ),
    discount=Decimal(0),
    freight=650,
    total=11_399,
    terms=None,
    address=LONDON,
    currency="EUR",
    required_date=date(2026, 12, 24),
)


def test_a_customer_places_an_order() -> None:
    order.given().when(place).then(created)


def test_an_order_is_paid_shipped_and_delivered() -> None:
    order.given(placed).when(pay).then(paid)
    order.given(placed, paid).when(ship).then(shipped)
    order.given(placed, paid, shipped).when(deliver).then(delivered)


def test_what_is_optional_stays_open() -> None:
    plain = replace(place, required_date=None)

    order.given().when(plain).then(replace(created, required_date=None))


def test_freight_is_a_part_of_what_an_order_costs() -> None:
    heavy = replace(place, freight=99_000)

    order.given().when(heavy).then(replace(created, freight=99_000, total=109_749))


def test_an_order_without_freight_costs_its_lines() -> None:
    fetched = replace(place, freight=None)

    order.given().when(fetched).then(replace(created, freight=0, total=10_749))


def test_freight_is_not_discounted() -> None:
    gift = replace(place, discount=Decimal(1))

    order.given().when(gift).then(replace(created, discount=Decimal(1), total=650))


def test_an_order_keeps_the_terms_it_was_placed_on() -> None:
    on_account = replace(place, terms=14)

    order.given().when(on_account).then(replace(created, terms=14))


def test_nobody_notes_carriage_for_a_new_order() -> None:
    assert created.carriage is None


def test_a_discount_on_the_order_counts_after_those_of_its_lines() -> None:
    # 86.7 cents, half of it 43.35; half of 87, were it rounded before, would be 44.
    nut = commands.Item(
        product="NUT", quantity=1, unit_price=102, discount=Decimal("0.15")
    )
    half = replace(place, items=(nut,), discount=Decimal("0.5"), freight=None)
    (event,) = order.given().when(half).decided()

    assert event.total == 43


def test_an_order_without_lines_is_refused() -> None:
    order.given().when(replace(place, items=())).then_rejected(rules.EmptyOrder)


def test_an_order_needs_a_customer_who_is_registered() -> None:
    stranger = order_rules.reading(customer=Customer())

    stranger.given().when(place).then_rejected(UnknownCustomer, "ALICE")


def test_an_order_needs_a_customer_who_is_known_at_all() -> None:
    order_rules.given().when(place).then_rejected(UnknownCustomer)


def test_a_customer_who_was_forgotten_orders_nothing() -> None:
    nobody = order_rules.reading(customer=Customer(is_forgotten=True))

    nobody.given().when(place).then_rejected(CustomerIsForgotten, "ALICE")


def test_an_empty_order_is_told_before_the_customer_is_looked_at() -> None:
    order_rules.given().when(replace(place, items=())).then_rejected(rules.EmptyOrder)


def test_an_order_is_placed_once() -> None:
    order.given(created).when(place).then_rejected(rules.OrderAlreadyPlaced, "pending")


def test_a_cancelled_order_is_not_placed_again() -> None:
    past = (created, cancelled)

    order.given(*past).when(place).then_rejected(rules.OrderAlreadyPlaced, "cancelled")


def test_a_rejection_has_its_figures_and_a_sentence() -> None:
    rejection = rules.UnknownOrder(order_id=10248)

    assert (rejection.figures, str(rejection)) == (
        {"order_id": 10248},
        "There is no order 10248.",
    )


def test_a_refusal_keeps_its_figures_as_numbers() -> None:
    refusal = rules.RefundTooHigh(
        paid=Money(10_749, "EUR"), left=Money(749, "EUR"), asked=Money(750, "EUR")
    )

    assert refusal.figures == {"paid": 10_749, "left": 749, "asked": 750}


def test_placing_an_order_reads_its_customer() -> None:
    assert reads(place) == {"customer": "customer-ALICE"}


def test_what_is_personal_is_decided_on_the_customer() -> None:
    for command in (desk.to_paris, desk.note):
        assert reads(command) == {"customer": "customer-ALICE"}


def test_cancelling_reads_no_other_stream() -> None:
    assert reads(cancel) == {}


def crowns(quantity: int, *, lines: int = 1) -> commands.PlaceOrder:
    crown = commands.Item(product="CROWN", quantity=quantity, unit_price=MAX_AMOUNT)
    return replace(place, items=(crown,) * lines, freight=None)


def test_an_order_may_cost_a_hundred_billions_and_no_more() -> None:
    (event,) = order.given().when(crowns(100)).decided()
    assert event.total == MAX_TOTAL

    order.given().when(crowns(101)).then_rejected(
        rules.OrderTooDear, "101,000,000,000.00 EUR"
    )


def test_the_freight_counts_for_what_an_order_may_cost() -> None:
    order.given().when(replace(crowns(100), freight=1)).then_rejected(
        rules.OrderTooDear, "100,000,000,000.01 EUR"
    )


def test_the_lines_of_any_order_come_to_less_than_64_bits() -> None:
    dearest = crowns(MAX_QUANTITY, lines=MAX_LINES)
    worth = sum(MAX_AMOUNT * item.quantity for item in dearest.items)

    assert worth < 2**63


LATER = [kind for kind in get_args(commands.OrderCommand) if kind is not type(place)]


@pytest.mark.parametrize("kind", LATER, ids=lambda kind: kind.__name__)
def test_nothing_is_done_to_an_order_that_is_not_there(kind: type) -> None:
    order.given().when(sample(kind)).then_rejected(
        rules.UnknownOrder, "There is no order 7."
    )


SMALLER = replace(more_clocks, total=5_000)
ONLY_RETURNED = replace(SMALLER, is_shipped=True, is_returned=True)
STATUSES: list[tuple[list[Any], Status]] = [
    ([], Status.PENDING),
    ([part_paid], Status.PENDING),
    ([part_paid, rest_paid], Status.PAID),
    ([paid], Status.PAID),
    ([paid, voided], Status.PENDING),
    ([paid, more_clocks], Status.PENDING),
    ([part_paid, SMALLER], Status.PAID),
    ([paid, clock_shipped], Status.PAID),
    ([clock_shipped], Status.PENDING),
    ([paid, clock_shipped, clock_returned], Status.PAID),
    ([paid, clock_shipped, replace(more_clocks, is_shipped=True)], Status.SHIPPED),
    ([paid, clock_shipped, clock_returned, ONLY_RETURNED], Status.RETURNED),
    ([paid, shipped], Status.SHIPPED),
    ([shipped, paid], Status.SHIPPED),
    ([paid, shipped, voided], Status.SHIPPED),
    ([paid, shipped, clock_returned], Status.SHIPPED),
    ([paid, shipped, delivered], Status.DELIVERED),
    ([paid, shipped, delivered, clock_returned], Status.DELIVERED),
    ([paid, shipped, all_returned], Status.RETURNED),
    ([paid, shipped, delivered, all_returned, refunded], Status.RETURNED),
    ([shipped, delivered, noted], Status.DELIVERED),
    ([cancelled], Status.CANCELLED),
    ([paid, cancelled, refunded], Status.CANCELLED),
    ([cancelled, paid], Status.CANCELLED),
    ([cancelled, shipped], Status.CANCELLED),
]


@pytest.mark.parametrize(("past", "status"), STATUSES)
def test_an_order_has_the_last_status_that_is_true(
    past: list[Any], status: Status
) -> None:
    assert order.given(placed, *past).state.status is status


def test_an_order_that_costs_nothing_is_paid_from_the_start() -> None:
    assert order.given(replace(placed, total=0)).state.status is Status.PAID


def test_what_was_never_placed_has_no_status() -> None:
    assert Order().status is Status.NONE


def test_the_decision_needs_no_customer_for_what_reads_none() -> None:
    assert decide(order.given(placed).state, pay) == [paid]
