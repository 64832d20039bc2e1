"""Plain data of an order, and what is wrong with such data, by field."""

import pytest

from domain.errors import InvalidInput
from domain.input import parse
from domain.orders.commands import PlaceOrder

LONDON = {"street": "12 Orchestra Terrace", "city": "London", "country": "UK"}
CLOCK = {"product": "RETRO-CLOCK", "quantity": 2, "unit_price": 4_950}
ORDER = {
    "customer_id": "ALICE",
    "items": [CLOCK],
    "address": LONDON,
    "currency": "EUR",
}


def faults(message: type, data: object) -> dict[str, str]:
    """Return what is wrong with *data*, by field."""
    with pytest.raises(InvalidInput) as refusal:
        parse(message, data)
    return {fault.field: fault.problem for fault in refusal.value.faults}


def faults_of_order(**changes: object) -> dict[str, str]:
    return faults(PlaceOrder, {**ORDER, **changes})


def faults_of_line(**changes: object) -> dict[str, str]:
    return faults_of_order(items=[{**CLOCK, **changes}])
