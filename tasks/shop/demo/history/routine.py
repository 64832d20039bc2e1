"""The drawn part of the demo: customers who register, and orders with their ends."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from domain.customers.commands import ChangeCustomerDetails, RegisterCustomer
from domain.input import parse
from domain.orders.commands import (
    CancelOrder,
    ConfirmDelivery,
    PlaceOrder,
    RefundPayment,
    ShipOrder,
)
from tasks.shop.demo.customers import Customer
from tasks.shop.demo.goods import FREIGHT, PRODUCTS, engraving_in
from tasks.shop.demo.history.invented_shop import InventedShop
from tasks.shop.demo.history.people import (
    ACCOUNTS,
    CARRIER,
    SERVICE,
    WAREHOUSE,
    WEBSHOP,
    corrected_customer,
    is_business,
)
from tasks.shop.demo.history.simulation import Step, Story

NEVER_PAID, CANCELLED, REFUNDED = 0.04, 0.09, 0.13
"""Up to which drawn share an order is never paid, cancelled, or paid and cancelled."""
ON_ACCOUNT = 0.5
"""The share of businesses' orders that are shipped first and paid later."""
TERMS = 30
"""The days that they have to pay."""
ENGRAVED = 0.05
"""The share of orders with a line that is on no list."""
CORRECTED = 0.15
"""The share of customers whose address changes."""
REASONS = (
    "Ordered by mistake",
    "Found it in a shop nearby",
    "It is needed sooner than it can be there",
    "The wrong colour of ink was chosen",
    "The address cannot be reached by the carrier",
)


def register(shop: InventedShop, key: str, customer: Customer, day: int) -> Story:
    """Register a customer for whom any order may be drawn from then on."""
    yield from registered(shop, key, customer, day)
    shop.customers.regular.append(key)


def registered(shop: InventedShop, key: str, customer: Customer, day: int) -> Story:
    """Register a customer at the opening of a day, before the first orders of it."""
    number = yield Step(
        shop.calendar.at(day, 8, 10),
        SERVICE if is_business(customer) else WEBSHOP,
        parse(RegisterCustomer, customer.details()),
    )
    shop.customers.add(key, number, customer)


def drawn_customer(
    shop: InventedShop, key: str, customer: Customer, day: int, random: Random
) -> Story:
    """Register a drawn customer, whose address may change later."""
    yield from register(shop, key, customer, day)
    if random.random() < CORRECTED:
        later = day + random.randint(10, 90)
        changed = corrected_customer(random, customer)
        yield from change_details(shop, key, changed, later, random)


def change_details(
    shop: InventedShop, key: str, customer: Customer, day: int, random: Random
) -> Story:
    at = shop.calendar.office_time(day, random)
    command = {"customer_id": shop.customers.numbers[key], **customer.details()}
    yield Step(at, SERVICE, parse(ChangeCustomerDetails, command))
    shop.customers.details[key] = customer


def drawn_order(shop: InventedShop, day: int, random: Random) -> Story:
    """Place an order for anybody who is there, and bring it to its end."""
    at = shop.calendar.any_time(day, random)
    # Who is registered by then is known only then.
    yield Step(at)
    key = random.choice(shop.customers.regular)
    is_large = is_business(shop.customers.details[key])
    is_on_account = is_large and random.random() < ON_ACCOUNT
    order = draw_order(shop, key, TERMS if is_on_account else None, random)
    number = yield Step(at, WEBSHOP, order)
    share = random.random()
    if NEVER_PAID <= share < CANCELLED:
        yield cancellation(shop, number, day + random.randint(1, 4), random)
    elif is_on_account:
        yield from ship_and_deliver(shop, number, day + random.randint(1, 3), random)
        yield from late_payment(shop, number, day, random)
    elif share >= CANCELLED:
        paid = shop.calendar.working_day(day + random.choice((1, 1, 1, 2, 3, 5)))
        yield payment(shop, number, paid, random)
        if share < REFUNDED:
            yield from cancel_and_refund(shop, number, paid + 1, random)
        else:
            sent = paid + random.randint(1, 2)
            yield from ship_and_deliver(shop, number, sent, random)


def draw_order(
    shop: InventedShop, key: str, terms: int | None, random: Random
) -> PlaceOrder:
    """Return an order of some products; a business has much for less, freight free."""
    is_large = is_business(shop.customers.details[key])
    quantities = dict(draw_quantities(random, is_large=is_large))
    is_engraved = random.random() < ENGRAVED
    return shop.order_for(
        key,
        quantities,
        random.choice(("0.05", "0.1", "0.15")) if is_large else "0",
        more=[engraving_in(shop.currency)] if is_engraved else (),
        freight=0 if is_large else shop.amount(FREIGHT),
        terms=terms,
    )


def draw_quantities(random: Random, *, is_large: bool) -> Iterator[tuple[str, int]]:
    """Yield some products with how many are ordered of each."""
    for product_id in random.sample(sorted(PRODUCTS), random.choice((1, 1, 2, 2, 3))):
        yield product_id, random.randint(4, 40) if is_large else random.randint(1, 3)


def late_payment(shop: InventedShop, number: str, day: int, random: Random) -> Story:
    """Pay an order on account some weeks after its *day*, sometimes in two parts."""
    paid = day + random.randint(14, TERMS + 8)
    if random.random() < 0.2:
        yield payment(shop, number, paid, random, part=0.5)
        paid += 9
    yield payment(shop, number, paid, random)


def payment(
    shop: InventedShop, number: str, day: int, random: Random, part: float = 1
) -> Step:
    at = shop.calendar.office_time(day, random)
    return Step(at, ACCOUNTS, shop.payment_of(number, part))


def cancellation(
    shop: InventedShop, number: str, day: int, random: Random, reason: str = ""
) -> Step:
    """Return the cancellation of an order, for a drawn reason if none is given."""
    command = CancelOrder(order_id=int(number), reason=reason or random.choice(REASONS))
    return Step(shop.calendar.office_time(day, random), SERVICE, command)


def cancel_and_refund(
    shop: InventedShop, number: str, day: int, random: Random, reason: str = ""
) -> Story:
    """Cancel a paid order, and refund all of it on a later day."""
    day = shop.calendar.working_day(day)
    yield cancellation(shop, number, day, random, reason)
    yield refund(shop, number, day + 1, random)


def refund(shop: InventedShop, number: str, day: int, random: Random) -> Step:
    """Return the refund of all that was paid for an order and is not due."""
    amount = shop.order(number).standing.credit
    command = RefundPayment(order_id=int(number), amount=amount)
    return Step(shop.calendar.office_time(day, random), ACCOUNTS, command)


def ship_and_deliver(
    shop: InventedShop, number: str, day: int, random: Random
) -> Story:
    """Ship an order on a day, and deliver it some days later."""
    day = shop.calendar.working_day(day)
    yield shipping(shop, number, day, random)
    yield delivery(shop, number, day + random.randint(2, 9), random)


def shipping(
    shop: InventedShop, number: str, day: int, random: Random, parcel: int = 1
) -> Step:
    return Step(
        shop.calendar.office_time(day, random),
        WAREHOUSE,
        ShipOrder(order_id=int(number), tracking_no=tracking_of(number, parcel)),
    )


def tracking_of(number: str, parcel: int = 1) -> str:
    """Return the tracking number that the invented carrier gives a parcel."""
    return f"PF{48_110_000 + 7_919 * int(number) + parcel - 1}EU"


def delivery(shop: InventedShop, number: str, day: int, random: Random) -> Step:
    """Return the delivery on a day, which the carrier notes a little later."""
    delivered_at = shop.calendar.any_time(day, random)
    return Step(
        delivered_at + timedelta(minutes=random.randint(5, 90)),
        CARRIER,
        ConfirmDelivery(order_id=int(number), delivered_at=delivered_at),
    )
