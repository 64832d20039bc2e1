"""What can be asked of a customer's stream."""

from dataclasses import dataclass, field

from domain.address import Address
from domain.fields import (
    PERSONAL,
    ChosenCustomerId,
    CustomerId,
    Email,
    Name,
    ShortText,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCustomer:
    """Register somebody who orders; without an id the shop gives a number."""

    customer_id: ChosenCustomerId | None = None
    name: Name = field(metadata=PERSONAL)
    email: Email | None = field(default=None, metadata=PERSONAL)
    contact_name: Name | None = field(default=None, metadata=PERSONAL)
    phone: ShortText | None = field(default=None, metadata=PERSONAL)
    address: Address | None = field(default=None, metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCustomerDetails:
    """Write down a customer's details again: all of them, as they are from now on."""

    customer_id: CustomerId
    name: Name = field(metadata=PERSONAL)
    email: Email | None = field(default=None, metadata=PERSONAL)
    contact_name: Name | None = field(default=None, metadata=PERSONAL)
    phone: ShortText | None = field(default=None, metadata=PERSONAL)
    address: Address | None = field(default=None, metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetCustomer:
    """Forget all that is personal about a customer, for ever; the orders stay."""

    customer_id: CustomerId


CustomerCommand = RegisterCustomer | ChangeCustomerDetails | ForgetCustomer
