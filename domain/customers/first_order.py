"""The first order of a new customer: once they are registered, it is placed."""

from collections.abc import Sequence
from dataclasses import fields

from domain.customers.commands import PlaceFirstOrder
from domain.customers.events import FirstOrderRequested
from domain.orders.commands import PlaceOrder

EVENTS = (FirstOrderRequested,)


def react(stream_id: str, event: object) -> Sequence[PlaceOrder]:
    """Return the command that places the order a new customer was registered with."""
    match event:
        case FirstOrderRequested():
            return [order_in(event, stream_id.partition("-")[2])]
        case _:
            return []


def order_in(
    source: PlaceFirstOrder | FirstOrderRequested, customer_id: str
) -> PlaceOrder:
    """Return the order that *source* asks for, as one of *customer_id*."""
    names = (field.name for field in fields(FirstOrderRequested))
    asked = {name: getattr(source, name) for name in names}
    return PlaceOrder(customer_id=customer_id, **asked)
