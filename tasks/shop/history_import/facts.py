"""The events that the rows of a history become."""

from collections.abc import Sequence
from decimal import Decimal

from domain.address import Address
from domain.customers.events import CustomerRegistered
from domain.orders.events import OrderCreated
from domain.orders.lines import Line, total_of
from tasks.shop.history_import.rows import CustomerRow, OrderRow


def registered_event(customer: CustomerRow) -> CustomerRegistered:
    return CustomerRegistered(
        name=customer.company_name,
        email=customer.email,
        contact_name=customer.contact_name,
        phone=customer.phone,
        address=address_of(customer),
    )


def address_of(customer: CustomerRow) -> Address | None:
    """Return a customer's address; the row was checked to have all of it or none."""
    if not (customer.address and customer.city and customer.country):
        return None
    return Address(
        street=customer.address,
        city=customer.city,
        region=customer.region,
        postal_code=customer.postal_code,
        country=customer.country,
    )


def created_event(
    order: OrderRow, lines: Sequence[Line], currency: str
) -> OrderCreated:
    """
    Return the order as it was placed elsewhere.

    Its freight was asked for there, if at all, so nobody is asked for it here. It may
    be shipped before it is paid, since nobody knows what was paid there.
    """
    return OrderCreated(
        customer_id=order.customer_id,
        items=tuple(lines),
        discount=Decimal(0),
        freight=0,
        total=total_of(lines),
        terms=0,
        address=Address(
            name=order.ship_name,
            street=order.ship_address,
            city=order.ship_city,
            region=order.ship_region,
            postal_code=order.ship_postal_code,
            country=order.ship_country,
        ),
        currency=currency,
        required_date=order.required_date,
        carriage=order.freight,
    )
