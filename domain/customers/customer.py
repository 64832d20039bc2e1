"""The customer as its events leave it, its rules and its claims."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from domain.claims import Claim
from domain.customers import events
from domain.email_address import address_before_idna_2008, same_address
from domain.errors import Rejection


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer, as its events so far leave it."""

    details: events.CustomerDetails | None = None
    is_forgotten: bool = False

    @property
    def is_registered(self) -> bool:
        return self.details is not None


class CustomerAlreadyRegistered(Rejection):
    """Customer {customer_id} is registered already."""


class UnknownCustomer(Rejection):
    """There is no customer {customer_id}."""


class CustomerIsForgotten(Rejection):
    """Customer {customer_id} was forgotten, for ever."""


class EmailAlreadyRegistered(Rejection):
    """Another customer is registered with this e-mail address."""


def evolve(customer: Customer, event: events.CustomerEvent) -> Customer:
    """Return the customer after *event*."""
    if isinstance(event, events.CustomerForgotten):
        return Customer(is_forgotten=True)
    if isinstance(event, events.FirstOrderRequested):
        return customer
    return Customer(events.CustomerDetails(**details_in(event)))


def claims(customer: Customer) -> Iterator[Claim]:
    """Yield the customer's claim: the e-mail address, if it is known."""
    if customer.details is not None and customer.details.email is not None:
        yield claim_of(same_address(customer.details.email))


def former_claims(customer: Customer) -> Iterator[Claim]:
    """Yield the claim that an earlier version made for this address, if it differs."""
    if customer.details is not None and customer.details.email is not None:
        yield claim_of(address_before_idna_2008(customer.details.email))


def claim_of(address: str) -> Claim:
    return Claim(scope="customer-email", value=address, taken=EmailAlreadyRegistered)


def details_in(source: object) -> dict[str, Any]:
    """Return the details that a command or an event carries, by their names."""
    names = (field.name for field in fields(events.CustomerDetails))
    return {name: getattr(source, name) for name in names}
