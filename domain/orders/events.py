"""What can have happened to an order."""

from dataclasses import dataclass, field
from datetime import date

from domain.address import Address
from domain.orders.commands import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCreated:
    """*total* is in minor units of *currency*: it stays what the customer was told."""

    customer_id: str
    items: tuple[Item, ...]
    total: int
    address: Address = field(metadata={"personal": True})
    currency: str
    required_date: date | None = None
    freight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled:
    reason: str


OrderEvent = OrderCreated | OrderCancelled
