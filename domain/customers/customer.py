"""The customer: who can be ordered for."""

from dataclasses import dataclass, replace

from domain.customers.commands import CustomerCommand
from domain.customers.events import CustomerEvent, CustomerRegistered
from domain.errors import Rejection


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer, as its events so far leave it."""

    is_registered: bool = False


class CustomerAlreadyRegistered(Rejection):
    """Customer {customer_id} is registered already."""


def decide(customer: Customer, command: CustomerCommand) -> list[CustomerEvent]:
    """Return the events that *command* causes, or raise the rule it breaks."""
    if customer.is_registered:
        raise CustomerAlreadyRegistered(customer_id=command.customer_id or "")
    return [
        CustomerRegistered(
            name=command.name,
            email=command.email,
            contact_name=command.contact_name,
            phone=command.phone,
            address=command.address,
        )
    ]


def evolve(customer: Customer, event: CustomerEvent) -> Customer:
    """Return the customer as it is after *event*."""
    return replace(customer, is_registered=True)
