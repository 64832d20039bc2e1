"""What read models with a row an order share: which row, and its customer's name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, get_args

from domain.customers.events import (
    CustomerDetails,
    CustomerEvent,
    CustomerForgotten,
)
from domain.forgotten import FORGOTTEN
from domain.orders.events import OrderCreated, OrderEvent
from domain.orders.standing import Standing
from domain.orders.status import Status
from eventstore.projections.projection import Fact, Key, LookedUp, Lookup

EVENTS = (*get_args(CustomerEvent), *get_args(OrderEvent))


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerName:
    """What a row about an order says of its customer."""

    customer_id: str
    name: str
    email: str | None


def order_of(fact: Fact, looked_up: LookedUp) -> int | None:
    return int(fact.subject) if isinstance(fact.event, OrderEvent) else None


def needs_customer(fact: Fact) -> Mapping[str, Key]:
    match fact.event:
        case OrderCreated(customer_id=customer_id):
            return {"customers": customer_id}
        case _:
            return {}


def customer_of(fact: Fact) -> str | None:
    told = isinstance(fact.event, CustomerDetails | CustomerForgotten)
    return fact.subject if told else None


def customer_name(row: CustomerName | None, fact: Fact) -> CustomerName:
    if isinstance(fact.event, CustomerForgotten):
        return CustomerName(customer_id=fact.subject, name=FORGOTTEN, email=None)
    event: CustomerDetails = fact.event
    return CustomerName(customer_id=fact.subject, name=event.name, email=event.email)


CUSTOMER_FIELDS: Mapping[type, Collection[str]] = {CustomerDetails: ("name", "email")}
"""The personal fields that `CUSTOMERS` reads."""

CUSTOMERS = Lookup(
    name="customers",
    row=CustomerName,
    key="customer_id",
    key_of=customer_of,
    fold=customer_name,
    category="customer",
)


class HasStanding(Protocol):
    """A row that has the columns of an order's standing."""

    @property
    def status(self) -> str: ...
    @property
    def total(self) -> int: ...
    @property
    def paid(self) -> int: ...
    @property
    def refunded(self) -> int: ...


NO_STANDING = Standing()


def standing_of(row: HasStanding) -> Standing:
    """Return the standing of the order that *row* is about."""
    return Standing(Status(row.status), row.total, row.paid, row.refunded)


def columns_of(standing: Standing) -> Mapping[str, Any]:
    """Return the columns of a row that are an order's standing."""
    return {
        "status": standing.status,
        "total": standing.total,
        "paid": standing.paid,
        "refunded": standing.refunded,
        "due": standing.due,
        "credit": standing.credit,
    }


STREAMS = {"order_id": "order", "customer_id": "customer"}
"""The streams that a row about an order is made from, by column."""
FORGETS = [CustomerForgotten]
