"""The events of a customer."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from domain.address import Address
from domain.fields import PERSONAL
from domain.orders.commands import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDetails:
    """All that is known of a customer; every field of it is personal."""

    name: str = field(metadata=PERSONAL)
    email: str | None = field(default=None, metadata=PERSONAL)
    contact_name: str | None = field(default=None, metadata=PERSONAL)
    phone: str | None = field(default=None, metadata=PERSONAL)
    address: Address | None = field(default=None, metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRegistered(CustomerDetails):
    """The customer was registered with these details."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDetailsChanged(CustomerDetails):
    """The customer's details were replaced; unchanged fields are included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerForgotten:
    """The customer's personal data were destroyed, also those of earlier events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOrderRequested:
    """
    With the registration an order was asked for; OrderCreated says that it was placed.

    The fields are those of PlaceOrder.
    """

    items: tuple[Item, ...]
    address: Address = field(metadata=PERSONAL)
    currency: str
    required_date: date | None
    freight: int | None
    discount: Decimal
    terms: int | None


CustomerEvent = (
    CustomerRegistered
    | CustomerDetailsChanged
    | CustomerForgotten
    | FirstOrderRequested
)
