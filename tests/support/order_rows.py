"""Rows of the list of orders, made without events."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from readmodels.order_summary import OrderSummaryRow
from readmodels.words import words


def order(number: int = 1, customer: str = "Alice Müller", **other: Any) -> Any:
    """Return the row of an order for Berlin; *other* columns have other values."""
    row = OrderSummaryRow(
        order_id=number,
        customer_id="ALICE",
        customer_name=customer,
        customer_email=None,
        total=number * 100,
        paid=number * 100,
        refunded=0,
        due=0,
        credit=0,
        currency="EUR",
        status="paid",
        item_count=1,
        parcels=0,
        tracking_number=None,
        tracking_numbers=(),
        terms=None,
        required_date=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
        city="Berlin",
        products=("Clock",),
        customer_words=words(customer, "ALICE"),
        place_words=words("Berlin"),
        order_words=words(number, "Clock"),
    )
    return replace(row, **other)
