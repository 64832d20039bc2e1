"""Commands with telling values, as a client of the API writes them."""

from typing import Any

ALICE = {"name": "Alice", "email": "alice@example.com", "customer_id": "ALICE"}
ADDRESS = {"street": "1 Retro Road", "city": "Bergen", "country": "Norway"}
RETRO_CLOCK = {"product": "RETRO-CLOCK", "quantity": 2, "unit_price": 4_950}


def order_for(customer_id: str = "ALICE", **other: Any) -> dict[str, Any]:
    """Return the data of a PlaceOrder."""
    return {
        "customer_id": customer_id,
        "items": [RETRO_CLOCK],
        "address": ADDRESS,
        **other,
    }
