"""What several steps need first, done unseen: a customer, and orders of theirs."""

from typing import Any

from embedded.tour.visit import Visit

SEAL = {
    "product": "Brass seal with one letter and a beech handle",
    "product_id": "SEAL",
    "quantity": 1,
    "unit_price": 2980,
}


def any_customer(visit: Visit) -> str:
    """Return the number of a customer of the demo who can order."""
    return str(
        visit.ask_one(
            "SELECT customer_id FROM readmodels.customers"
            " WHERE name = 'Zofia Kowalczyk-Święcicka'"
        )
    )


def place_order(visit: Visit, customer_id: str = "") -> int:
    """Place an order of 29.80 EUR, and return its number."""
    order: dict[str, Any] = {
        "customer_id": customer_id or any_customer(visit),
        "items": [SEAL],
        "address": {"street": "Rynek 1", "city": "Kraków", "country": "Poland"},
        "currency": "EUR",
    }
    return int(visit.do("PlaceOrder", **order))


def place_paid_order(visit: Visit) -> int:
    order_id = place_order(visit)
    visit.do("ReceivePayment", order_id=order_id, amount=SEAL["unit_price"])
    return order_id
