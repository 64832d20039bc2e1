"""The parts of an order: its lines, payments, parcels and notes, step by step."""

from dataclasses import replace
from datetime import date

from domain.forgotten import FORGOTTEN, FORGOTTEN_ADDRESS
from domain.orders.commands import ChangedItem, ChangeItems
from domain.orders.lines import LineQuantity
from readmodels import order_details
from readmodels.order_details import OrderDetailsView
from readmodels.order_parts import NoteLine, Parcel
from tasks.shop.wiring import Shop
from tests.support.desk import (
    PARIS,
    Do,
    alice,
    cancel,
    correct_tracking,
    forget,
    note,
    pay,
    pay_part,
    place,
    put_off,
    return_all,
    return_one_clock,
    ship,
    ship_one_clock,
    to_paris,
    void,
)


def details(shop: Shop) -> OrderDetailsView:
    with shop.engine.connect() as connection:
        found = order_details.find(connection, 1)
    assert found is not None
    return found


def test_payments_are_counted_and_those_taken_back_are_still_there(
    shop: Shop, do: Do
) -> None:
    do(alice, place, pay_part, replace(pay, amount=5_899))
    both = details(shop)
    do(void)
    one = details(shop)
    do(replace(void, payment=2))
    none = details(shop)

    assert [(p.payment, p.amount, p.voided_at) for p in both.payments] == [
        (1, 5_000, None),
        (2, 5_899, None),
    ]
    assert (both.status, both.paid, both.due) == ("paid", 10_899, 0)
    assert (one.status, one.paid, one.due) == ("pending", 5_899, 5_000)
    assert one.payments[0].voided_at == one.history[-1].occurred_at
    assert one.paid_at == both.paid_at == both.payments[1].received_at
    # Nothing that counts was paid.
    assert (none.paid, none.paid_at, len(none.payments)) == (0, None, 2)


def test_a_payment_that_is_taken_back_leaves_the_time_of_the_one_before(
    shop: Shop, do: Do
) -> None:
    do(alice, place, pay_part, replace(pay, amount=5_899), replace(void, payment=2))
    order = details(shop)

    assert order.paid_at == order.payments[0].received_at


def test_a_parcel_has_its_lines_and_the_last_one_all_the_rest(
    shop: Shop, do: Do
) -> None:
    do(alice, place, pay, ship_one_clock)
    first = details(shop)
    do(ship, correct_tracking)
    order = details(shop)

    assert [line.shipped for line in first.lines] == [1, 0]
    assert (first.status, first.tracking_number) == ("paid", "1Z-998")
    assert first.shipped_at == first.parcels[0].shipped_at
    assert [line.shipped for line in order.lines] == [2, 1]
    assert order.parcels == (
        Parcel(
            parcel=1,
            tracking_number="1Z-990",
            shipped_at=order.history[2].occurred_at,
            lines=(LineQuantity(line=1, quantity=1),),
        ),
        Parcel(
            parcel=2,
            tracking_number="1Z-999",
            shipped_at=order.history[3].occurred_at,
            lines=(
                LineQuantity(line=1, quantity=1),
                LineQuantity(line=2, quantity=1),
            ),
        ),
    )
    assert (order.status, order.tracking_number) == ("shipped", "1Z-999")
    assert order.shipped_at == order.parcels[1].shipped_at


def test_what_comes_back_is_worth_nothing_and_can_be_refunded(
    shop: Shop, do: Do
) -> None:
    do(alice, replace(place, freight=650), replace(pay, amount=11_549), ship)
    do(return_one_clock)
    some = details(shop)
    do(replace(return_all, with_freight=True))
    everything = details(shop)

    assert [(line.returned, line.amount) for line in some.lines] == [
        (1, 4_950),
        (0, 999),
    ]
    assert (some.status, some.gross, some.total, some.freight, some.credit) == (
        "shipped",
        10_899,
        6_599,
        650,
        4_950,
    )
    assert some.returned_at == some.history[-1].occurred_at
    assert (everything.status, everything.total, everything.freight) == (
        "returned",
        0,
        0,
    )
    assert everything.credit == 11_549
    assert everything.history[-1].told == {"total": 0, "pieces": 2}


def test_changed_lines_keep_their_numbers_and_what_was_shipped(
    shop: Shop, do: Do
) -> None:
    other = ChangeItems(
        order_id=1,
        items=(
            ChangedItem(line=1, quantity=3, unit_price=4_000),
            ChangedItem(product="SHADE", unit_price=500, quantity=1),
        ),
        freight=200,
    )
    do(alice, replace(place, terms=14), ship_one_clock, other)
    order = details(shop)

    assert [(n.number, n.product, n.quantity, n.shipped) for n in order.lines] == [
        (1, "RETRO-CLOCK", 3, 1),
        (3, "SHADE", 1, 0),
    ]
    assert [line.amount for line in order.lines] == [12_000, 500]
    assert (order.gross, order.freight, order.total) == (12_500, 200, 12_700)
    assert order.history[-1].told == {"total": 12_700, "lines": 2}


def test_an_order_goes_to_its_new_address(shop: Shop, do: Do) -> None:
    do(alice, place, to_paris)
    order = details(shop)

    assert order.address == PARIS
    # Where it goes is personal: its history tells only that it was changed.
    assert order.history[-1].told == {}


def test_a_note_says_who_wrote_it_and_when(shop: Shop, do: Do) -> None:
    do(alice, place, note)
    order = details(shop)

    assert order.notes == (
        NoteLine(
            version=2,
            text="Wants it wrapped.",
            actor="staff",
            added_at=order.history[1].occurred_at,
        ),
    )
    assert order.history[-1].told == {}


def test_of_a_forgotten_customer_neither_address_nor_note_is_left(
    shop: Shop, do: Do
) -> None:
    do(alice, place, to_paris, note, forget, cancel)
    order = details(shop)

    assert (order.customer_name, order.address) == (FORGOTTEN, FORGOTTEN_ADDRESS)
    assert order.notes == ()
    for word in ("Alice", "Paris", "Lauriston", "wrapped"):
        assert word not in str(order), word


def test_an_order_says_until_when_it_is_left_alone(shop: Shop, do: Do) -> None:
    do(alice, place, put_off)
    order = details(shop)

    assert order.put_off_until == date(2027, 1, 15)
    assert order.history[-1].told == {"until": "2027-01-15"}
