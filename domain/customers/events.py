"""What can have happened to a customer."""

from dataclasses import dataclass, field

from domain.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRegistered:
    name: str = field(metadata={"personal": True})
    email: str | None = field(default=None, metadata={"personal": True})
    contact_name: str | None = field(default=None, metadata={"personal": True})
    phone: str | None = field(default=None, metadata={"personal": True})
    address: Address | None = field(default=None, metadata={"personal": True})


CustomerEvent = CustomerRegistered
