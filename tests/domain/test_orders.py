"""The rules of an order."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.address import Address
from domain.customers.customer import Customer, UnknownCustomer
from domain.customers.events import CustomerDetails
from domain.fields import (
    MAX_AMOUNT,
    MAX_LINES,
    MAX_QUANTITY,
    MAX_TOTAL,
)
from domain.money import Money
from domain.orders import commands, events, rules
from domain.orders.order import Order, decide, evolve, reads
from eventstore.testing.specification import Specification

ALICE = Customer(CustomerDetails(name="Alice"))
LONDON = Address(street="12 Orchestra Terrace", city="London", country="UK")
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
    items=(CLOCK, LAMP),
    discount=Decimal(0),
    total=10_749,
    address=LONDON,
    currency="EUR",
    required_date=date(2026, 12, 24),
    freight=650,
)
cancel = commands.CancelOrder(order_id=10248, reason="bought it twice")
cancelled = events.OrderCancelled(reason="bought it twice")
pay = commands.ReceivePayment(order_id=10248, amount=10_749)
paid = events.PaymentReceived(amount=10_749)
ship = commands.ShipOrder(order_id=10248, tracking_no="1Z999")
shipped = events.OrderShipped(tracking_no="1Z999")
NOON = datetime(2026, 12, 23, 12, tzinfo=UTC)
deliver = commands.ConfirmDelivery(order_id=10248, delivered_at=NOON)
delivered = events.DeliveryConfirmed(delivered_at=NOON)

order_rules = Specification(initial=Order(), decide=decide, evolve=evolve)
order = order_rules.reading(customer=ALICE)


def test_a_customer_places_an_order() -> None:
    order.given().when(place).then(created)


def test_what_is_optional_stays_open() -> None:
    plain = replace(place, required_date=None, freight=None)
    open_order = replace(created, required_date=None, freight=None)

    order.given().when(plain).then(open_order)


def test_freight_is_no_part_of_the_total() -> None:
    heavy = replace(place, freight=99_000)

    order.given().when(heavy).then(replace(created, freight=99_000))


def test_a_discount_on_the_order_counts_after_those_of_its_lines() -> None:
    # 86.7 cents, half of it 43.35; half of 87, were it rounded before, would be 44.
    nut = commands.Item(
        product="NUT", quantity=1, unit_price=102, discount=Decimal("0.15")
    )
    half: dict[str, Any] = {"items": (nut,), "discount": Decimal("0.5")}

    order.given().when(replace(place, **half)).then(replace(created, **half, total=43))


def test_an_order_without_lines_is_refused() -> None:
    order.given().when(replace(place, items=())).then_rejected(rules.EmptyOrder)


def test_an_order_needs_a_customer_who_is_registered() -> None:
    stranger = order_rules.reading(customer=Customer())

    stranger.given().when(place).then_rejected(UnknownCustomer, "ALICE")


def test_an_order_needs_a_customer_who_is_known_at_all() -> None:
    order_rules.given().when(place).then_rejected(UnknownCustomer)


def test_an_empty_order_is_told_before_the_customer_is_looked_at() -> None:
    order_rules.given().when(replace(place, items=())).then_rejected(rules.EmptyOrder)


def test_an_order_is_placed_once() -> None:
    order.given(created).when(place).then_rejected(rules.OrderAlreadyPlaced, "pending")


def test_a_cancelled_order_is_not_placed_again() -> None:
    past = (created, cancelled)

    order.given(*past).when(place).then_rejected(rules.OrderAlreadyPlaced, "cancelled")


def test_a_pending_order_can_be_cancelled() -> None:
    order.given(created).when(cancel).then(cancelled)


def test_cancelling_twice_changes_nothing() -> None:
    order.given(created, cancelled).when(cancel).then_nothing()


def test_an_order_that_was_never_placed_cannot_be_cancelled() -> None:
    order.given().when(cancel).then_rejected(rules.UnknownOrder, "10248")


def test_a_rejection_has_its_figures_and_a_sentence() -> None:
    rejection = rules.UnknownOrder(order_id=10248)

    assert (rejection.figures, str(rejection)) == (
        {"order_id": 10248},
        "There is no order 10248.",
    )


def test_placing_an_order_reads_its_customer() -> None:
    assert reads(place) == {"customer": "customer-ALICE"}


def test_cancelling_reads_no_other_stream() -> None:
    assert reads(cancel) == {}


def crowns(quantity: int, *, lines: int = 1) -> commands.PlaceOrder:
    crown = commands.Item(product="CROWN", quantity=quantity, unit_price=MAX_AMOUNT)
    return replace(place, items=(crown,) * lines)


def test_an_order_may_be_worth_a_hundred_billions_and_no_more() -> None:
    (event,) = decide(Order(), crowns(100), customer=ALICE)
    assert isinstance(event, events.OrderCreated)
    assert event.total == MAX_TOTAL

    with pytest.raises(rules.OrderTooDear, match=r"101,000,000,000\.00 EUR"):
        decide(Order(), crowns(101), customer=ALICE)


def test_the_lines_of_any_order_come_to_less_than_64_bits() -> None:
    dearest = crowns(MAX_QUANTITY, lines=MAX_LINES)
    assert sum(item.unit_price * item.quantity for item in dearest.items) < 2**63


def test_an_order_is_paid_shipped_and_delivered() -> None:
    order.given(created).when(pay).then(paid)
    order.given(created, paid).when(ship).then(shipped)
    order.given(created, paid, shipped).when(deliver).then(delivered)


def test_what_is_not_paid_is_not_shipped() -> None:
    order.given(created).when(ship).then_rejected(
        rules.OrderNotPaid, "107.49 EUR is due"
    )


def test_an_order_is_paid_once() -> None:
    order.given(created, paid).when(pay).then_rejected(
        rules.OrderAlreadyPaid, "107.49 EUR"
    )


def test_a_payment_is_of_what_the_order_is_worth() -> None:
    order.given(created).when(replace(pay, amount=10_700)).then_rejected(
        rules.WrongAmount, "worth 107.49 EUR, and 107.00 EUR is not that"
    )


def test_a_refusal_keeps_its_figures_as_numbers() -> None:
    refusal = rules.WrongAmount(due=Money(10_749, "EUR"), received=Money(10_700, "EUR"))

    assert refusal.figures == {"due": 10_749, "received": 10_700}


def test_a_cancelled_order_is_not_paid() -> None:
    order.given(created, cancelled).when(pay).then_rejected(rules.OrderAlreadyCancelled)


def test_a_cancelled_order_is_not_shipped() -> None:
    order.given(created, paid, cancelled).when(ship).then_rejected(
        rules.OrderAlreadyCancelled, "10248"
    )


def test_an_order_is_shipped_once() -> None:
    order.given(created, paid, shipped).when(ship).then_rejected(
        rules.OrderAlreadyShipped, "1Z999"
    )


def test_an_imported_order_that_is_shipped_takes_no_payment() -> None:
    order.given(created, events.OrderShipped()).when(pay).then_rejected(
        rules.OrderAlreadyShipped
    )


def test_a_shipped_order_can_no_longer_be_cancelled() -> None:
    order.given(created, paid, shipped).when(cancel).then_rejected(
        rules.OrderAlreadyShipped, "1Z999"
    )


def test_a_paid_order_can_be_cancelled() -> None:
    order.given(created, paid).when(cancel).then(cancelled)


def test_a_gift_is_shipped_without_a_payment() -> None:
    gift = replace(created, total=0)

    order.given(gift).when(ship).then(shipped)


def test_a_payment_that_is_known_late_does_not_call_the_parcel_back() -> None:
    """An imported history may have its events in any order."""
    order.given(created, events.OrderShipped(), paid).when(cancel).then_rejected(
        rules.OrderAlreadyShipped
    )


def test_what_was_not_shipped_does_not_arrive() -> None:
    order.given(created, paid).when(deliver).then_rejected(
        rules.OrderNotShipped, "paid"
    )


def test_an_order_arrives_once() -> None:
    order.given(created, paid, shipped, delivered).when(deliver).then_rejected(
        rules.OrderAlreadyDelivered
    )


@pytest.mark.parametrize("command", [pay, ship, deliver, cancel])
def test_nothing_is_done_to_an_order_that_is_not_there(command: object) -> None:
    order.given().when(command).then_rejected(rules.UnknownOrder, "10248")


refund = commands.RefundPayment(order_id=10248, amount=749)
refunded = events.PaymentRefunded(amount=749, currency="EUR", customer_id="ALICE")


def test_what_was_paid_for_a_cancelled_order_is_refunded_in_parts() -> None:
    rest = replace(refund, amount=10_000)

    order.given(created, paid, cancelled).when(refund).then(refunded)
    order.given(created, paid, cancelled, refunded).when(rest).then(
        replace(refunded, amount=10_000)
    )


def test_no_more_is_refunded_than_was_paid() -> None:
    order.given(created, paid, cancelled, refunded).when(
        replace(refund, amount=10_001)
    ).then_rejected(
        rules.RefundTooHigh, "107.49 EUR that were paid, 100.00 EUR are left"
    )


def test_nothing_is_refunded_where_nothing_was_paid() -> None:
    order.given(created, cancelled).when(refund).then_rejected(rules.NothingToRefund)


@pytest.mark.parametrize("past", [[created, paid], [created, paid, shipped]])
def test_an_order_is_cancelled_before_it_is_refunded(past: list[Any]) -> None:
    order.given(*past).when(refund).then_rejected(rules.OrderNotCancelled)


too_late = commands.CancelUnpaidOrder(order_id=10248, days=30)


def test_an_order_that_is_not_paid_in_time_is_cancelled() -> None:
    order.given(created).when(too_late).then(
        events.OrderCancelled(reason="It was not paid within 30 days.")
    )


@pytest.mark.parametrize("past", [[paid], [cancelled], [paid, shipped]])
def test_an_order_that_is_pending_no_more_is_left_alone(past: list[Any]) -> None:
    order.given(created, *past).when(too_late).then_nothing()
