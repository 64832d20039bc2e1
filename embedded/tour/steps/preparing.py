"""What several steps need first, done unseen: a customer, and their orders."""

from typing import Any

from embedded.tour.visit import Visit

SEAL = {"product_id": "SEAL", "quantity": 1}
"""A line of an order: one seal, at the price of the demo's list."""
PRICE = 2980
VISITOR = "VISITOR"
REGISTERED = "SELECT 1 FROM events WHERE stream_id = 'customer-VISITOR'"


def register_visitor(visit: Visit) -> str:
    """Register the customer of the steps, unless one has done so; return the id."""
    if not visit.ask(REGISTERED):
        visit.do("RegisterCustomer", customer_id=VISITOR, name="A visitor")
    return VISITOR


def place_order(visit: Visit) -> int:
    """Place an order of 29.80 EUR, and return its number."""
    order: dict[str, Any] = {
        "customer_id": register_visitor(visit),
        "items": [SEAL],
        "address": {"street": "Rynek 1", "city": "Kraków", "country": "Poland"},
        "currency": "EUR",
    }
    return int(visit.do("PlaceOrder", **order))


def place_paid_order(visit: Visit) -> int:
    order_id = place_order(visit)
    visit.do("ReceivePayment", order_id=order_id, amount=PRICE)
    return order_id
