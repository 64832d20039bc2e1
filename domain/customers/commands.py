"""The commands of a customer."""

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
    """Register a customer; without an id the shop assigns a number."""

    customer_id: ChosenCustomerId | None = None
    name: Name = field(metadata=PERSONAL)
    email: Email | None = field(default=None, metadata=PERSONAL)
    contact_name: Name | None = field(default=None, metadata=PERSONAL)
    phone: ShortText | None = field(default=None, metadata=PERSONAL)
    address: Address | None = field(default=None, metadata=PERSONAL)


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


CustomerCommand = RegisterCustomer | ChangeCustomerDetails | ForgetCustomer
