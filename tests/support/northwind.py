"""A real order history as commands; its files are not ours and stay where they are."""

import csv
import os
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.support.databases import ROOT

FILES = ("customers.csv", "products.csv", "orders.csv", "order_details.csv")
NET_WORTH = 126_579_322
"""What the 830 orders are worth, in cents, after discounts."""
FREIGHT = 6_494_269


def folder() -> Path:
    """Return where the files are: NORTHWIND_DIR, or beside the checkout."""
    named = os.environ.get("NORTHWIND_DIR")
    return Path(named) if named else ROOT.parent / "shared" / "data" / "northwind"


def is_there() -> bool:
    return all((folder() / name).is_file() for name in FILES)


def rows(name: str) -> list[dict[str, str]]:
    with (folder() / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cents(amount: str) -> int:
    return int(Decimal(amount) * 100)


def without_blanks(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value.strip()}


def registrations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a RegisterCustomer for each customer."""
    for row in rows("customers.csv"):
        yield (
            "RegisterCustomer",
            without_blanks(
                {
                    "customer_id": row["customer_id"],
                    "name": row["company_name"],
                    "contact_name": row["contact_name"],
                    "phone": row["phone"],
                }
            ),
        )


def placements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a PlaceOrder for each order."""
    products = {row["product_id"]: row["product_name"] for row in rows("products.csv")}
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows("order_details.csv"):
        lines[row["order_id"]].append(
            {
                "product": products[row["product_id"]],
                "product_id": row["product_id"],
                "quantity": int(row["quantity"]),
                "unit_price": cents(row["unit_price"]),
                "discount": row["discount"],
            }
        )
    for row in rows("orders.csv"):
        address = {
            "name": row["ship_name"],
            "street": row["ship_address"],
            "city": row["ship_city"],
            "region": row["ship_region"],
            "postal_code": row["ship_postal_code"],
            "country": row["ship_country"],
        }
        yield (
            "PlaceOrder",
            {
                "customer_id": row["customer_id"],
                "items": lines[row["order_id"]],
                "address": without_blanks(address),
                # Not when it was needed: nobody orders for 1996 today.
                "freight": cents(row["freight"]),
            },
        )
