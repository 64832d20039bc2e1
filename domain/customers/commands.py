"""The commands of a customer."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated

from domain.address import Address
from domain.fields import (
    MAX_LINES,
    PERSONAL,
    ChosenCustomerId,
    Currency,
    CustomerId,
    Discount,
    Email,
    Freight,
    Name,
    Several,
    ShortText,
    Terms,
)
from domain.orders.commands import EMPTY_ORDER, Item


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCustomer:
    """Register a customer; without an id the shop assigns a number."""

    customer_id: ChosenCustomerId | None = None
    name: Name = field(metadata=PERSONAL)
    email: Email | None = field(default=None, metadata=PERSONAL)
    contact_name: Name | None = field(default=None, metadata=PERSONAL)
    phone: ShortText | None = field(default=None, metadata=PERSONAL)
    address: Address | None = field(default=None, metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFirstOrder:
    """
    Register a customer and place their first order; all is refused or nothing.

    The fields are those of RegisterCustomer and of PlaceOrder. The order's address is
    the customer's, too. The order gets its number once the customer is registered.
    """

    customer_id: ChosenCustomerId | None = None
    name: Name = field(metadata=PERSONAL)
    email: Email | None = field(default=None, metadata=PERSONAL)
    contact_name: Name | None = field(default=None, metadata=PERSONAL)
    phone: ShortText | None = field(default=None, metadata=PERSONAL)
    items: Annotated[tuple[Item, ...], Several(MAX_LINES, EMPTY_ORDER)]
    address: Address = field(metadata=PERSONAL)
    currency: Currency
    required_date: date | None = None
    freight: Freight | None = None
    discount: Discount = Decimal(0)
    terms: Terms | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCustomerDetails:
    """Replace all details of a customer; a field that is left out becomes empty."""

    customer_id: CustomerId
    name: Name = field(metadata=PERSONAL)
    email: Email | None = field(default=None, metadata=PERSONAL)
    contact_name: Name | None = field(default=None, metadata=PERSONAL)
    phone: ShortText | None = field(default=None, metadata=PERSONAL)
    address: Address | None = field(default=None, metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetCustomer:
    """Forget all personal data of a customer, for ever; the orders stay."""

    customer_id: CustomerId


CustomerCommand = (
    RegisterCustomer | PlaceFirstOrder | ChangeCustomerDetails | ForgetCustomer
)
