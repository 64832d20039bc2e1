"""The other written part of the demo: orders that do not go straight to their end."""

from random import Random

from domain.accounts.commands import Withdraw
from domain.address import Address
from domain.orders.commands import (
    AddNote,
    ChangeAddress,
    ChangedItem,
    ChangeItems,
    CorrectTracking,
    PutOffCancellation,
    ReturnOrder,
    ShipParcel,
    VoidPayment,
)
from domain.orders.lines import LineQuantity
from tasks.shop.demo.customers import CUSTOMERS
from tasks.shop.demo.goods import FREIGHT, engraving_in
from tasks.shop.demo.history.invented_shop import InventedShop
from tasks.shop.demo.history.people import ACCOUNTS, SERVICE, WAREHOUSE, WEBSHOP
from tasks.shop.demo.history.price_list import CALENDAR_ID
from tasks.shop.demo.history.routine import (
    TERMS,
    delivery,
    payment,
    refund,
    register,
    ship_and_deliver,
    shipping,
    tracking_of,
)
from tasks.shop.demo.history.simulation import Step, Story


def order_on_account(shop: InventedShop, random: Random) -> Story:
    """
    The printers of Toulouse get two parcels and pay in two parts; one of them bounces.

    They have agreed on a price of their own for the paper.
    """
    yield from register(shop, "garonne", CUSTOMERS["garonne"], 0)
    paper = {
        "product_id": "PAPER-COT",
        "quantity": 120,
        "unit_price": shop.amount(1_790),
    }
    order = shop.order_for(
        "garonne",
        {"BLOT-PAD": 35},
        more=[paper],
        freight=shop.amount(4_800),
        terms=TERMS,
    )
    number = yield Step(shop.calendar.any_time(50, random), WEBSHOP, order)
    parcel = ShipParcel(
        order_id=int(number),
        tracking_no=tracking_of(number),
        lines=(LineQuantity(line=1, quantity=35), LineQuantity(line=2, quantity=40)),
    )
    yield Step(shop.calendar.office_time(52, random), WAREHOUSE, parcel)
    rest = shipping(shop, number, 57, random, parcel=2)
    yield rest
    yield delivery(shop, number, 62, random)
    yield payment(shop, number, 70, random, part=0.5)
    yield payment(shop, number, 78, random)
    bounced = VoidPayment(order_id=int(number), payment=2)
    yield Step(shop.calendar.office_time(84, random), ACCOUNTS, bounced)
    yield note(
        shop, number, 84, random, "The bank sent the second half back; they pay again."
    )
    yield payment(shop, number, 91, random)


def order_that_was_changed(shop: InventedShop, random: Random) -> Story:
    """Zofia Kowalczyk wants more, and all of it elsewhere; a digit was mistyped."""
    yield from register(shop, "kowal", CUSTOMERS["kowal"], 1)
    order = shop.order_for(
        "kowal",
        {"DIP-SET": 1, "INK-SEPIA": 1},
        more=[engraving_in(shop.currency)],
        freight=shop.amount(FREIGHT),
    )
    number = yield Step(shop.calendar.any_time(100, random), WEBSHOP, order)
    # Two inks, cards in the place of the engraving, and the pen stays.
    items = (
        ChangedItem(line=1, quantity=1),
        ChangedItem(line=2, quantity=2),
        ChangedItem(product_id="CARD-FOLD", quantity=2),
    )
    changed = ChangeItems(order_id=int(number), items=items)
    yield Step(shop.calendar.office_time(102, random), SERVICE, changed)
    yield payment(shop, number, 104, random)
    elsewhere = ChangeAddress(
        order_id=int(number),
        customer_id=shop.customers.numbers["kowal"],
        address=Address(
            name="Zofia Kowalczyk-Święcicka",
            street="ul. Grodzka 31, with the porter",
            postal_code="31-044",
            city="Kraków",
            country="Poland",
        ),
    )
    yield Step(shop.calendar.office_time(106, random), SERVICE, elsewhere)
    yield shipping(shop, number, 108, random, parcel=9)
    corrected = CorrectTracking(
        order_id=int(number), parcel=1, tracking_no=tracking_of(number)
    )
    yield Step(shop.calendar.office_time(110, random), WAREHOUSE, corrected)
    yield delivery(shop, number, 113, random)


def line_that_came_back(shop: InventedShop, random: Random) -> Story:
    """Harper & Finch send three pens back, and get the money for them."""
    yield Step(shop.calendar.at(118, 10))
    order = shop.order_for("harper", {"FP-MOEWE-F": 10, "FP-MOEWE-B": 6}, "0.15")
    number = yield Step(shop.calendar.at(118, 10), WEBSHOP, order)
    yield payment(shop, number, 120, random)
    yield from ship_and_deliver(shop, number, 122, random)
    back = ReturnOrder(order_id=int(number), lines=(LineQuantity(line=1, quantity=3),))
    yield Step(shop.calendar.office_time(138, random), WAREHOUSE, back)
    yield note(
        shop,
        number,
        138,
        random,
        "Three fine nibs scratch.\nThey keep the others.",
    )
    yield refund(shop, number, 140, random)


def order_that_came_back(shop: InventedShop, random: Random) -> Story:
    """Jiří Novák sends a calendar back, and gets what it and its parcel have cost."""
    yield Step(shop.calendar.at(40, 9))
    order = shop.order_for("novak", {CALENDAR_ID: 1}, freight=shop.amount(FREIGHT))
    number = yield Step(shop.calendar.at(40, 9), WEBSHOP, order)
    yield payment(shop, number, 41, random)
    yield from ship_and_deliver(shop, number, 43, random)
    returned = ReturnOrder(order_id=int(number), with_freight=True)
    yield Step(shop.calendar.office_time(56, random), WAREHOUSE, returned)
    back = shop.order(number).standing.credit
    yield refund(shop, number, 58, random)
    out = Withdraw(account_id=shop.customers.numbers["novak"], amount=back)
    yield Step(shop.calendar.office_time(61, random), ACCOUNTS, out)


def order_that_was_waited_for(shop: InventedShop, random: Random) -> Story:
    """Satō Haruka cannot pay for weeks, and is waited for; then it is paid."""
    yield Step(shop.calendar.at(130, 9))
    number = yield Step(
        shop.calendar.at(130, 9), WEBSHOP, shop.order_for("sato", {"FP-ATLAS": 1})
    )
    until = shop.calendar.day(175)
    put_off = PutOffCancellation(order_id=int(number), until=until)
    yield Step(shop.calendar.office_time(155, random), SERVICE, put_off)
    yield note(
        shop, number, 155, random, f"Her bank changed. We wait for her until {until}."
    )
    yield payment(shop, number, 172, random)
    yield from ship_and_deliver(shop, number, 174, random)


def note(shop: InventedShop, number: str, day: int, random: Random, text: str) -> Step:
    """Return a note that is written in the evening of a working day."""
    at = shop.calendar.at(shop.calendar.working_day(day), 18, random.randrange(60))
    customer_id = shop.order(number).customer_id
    return Step(
        at, SERVICE, AddNote(order_id=int(number), customer_id=customer_id, text=text)
    )
