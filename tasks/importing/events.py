"""From rows to the events that they tell of."""

from collections.abc import Sequence
from decimal import Decimal

from domain.address import Address
from domain.customers.events import CustomerRegistered
from domain.orders.commands import Item
from domain.orders.events import OrderCreated
from domain.orders.order import total_of
from tasks.importing.rows import CustomerRow, OrderRow


def registered(customer: CustomerRow) -> CustomerRegistered:
    return CustomerRegistered(
        name=customer.company_name,
        email=customer.email,
        contact_name=customer.contact_name,
        phone=customer.phone,
        address=address_of(customer),
    )


def address_of(customer: CustomerRow) -> Address | None:
    """Return a customer's address; the row was checked to have all of it or nothing."""
    if not (customer.address and customer.city and customer.country):
        return None
    return Address(
        street=customer.address,
        city=customer.city,
        region=customer.region,
        postal_code=customer.postal_code,
        country=customer.country,
    )


def created(order: OrderRow, items: Sequence[Item], currency: str) -> OrderCreated:
    return OrderCreated(
        customer_id=order.customer_id,
        items=tuple(items),
        discount=Decimal(0),
        total=total_of(items),
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
        freight=order.freight,
    )
