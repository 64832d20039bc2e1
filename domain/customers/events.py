"""What can have happened to a customer."""

from dataclasses import dataclass, field

from domain.address import Address
from domain.fields import PERSONAL


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
    """The details are those that the customer was registered with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDetailsChanged(CustomerDetails):
    """The details are those from now on, also the ones that stayed as they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerForgotten:
    """Nothing personal is known from now on, and nothing that was can be read."""


CustomerEvent = CustomerRegistered | CustomerDetailsChanged | CustomerForgotten
