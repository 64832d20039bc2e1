"""The price list of the invented shop: what is on it, and how it changes."""

from typing import Any

from domain.products.commands import (
    AddProduct,
    ChangePrice,
    DiscontinueProduct,
    RenameProduct,
)
from tasks.shop.demo.goods import PRODUCTS, Product
from tasks.shop.demo.history.invented_shop import InventedShop
from tasks.shop.demo.history.people import SERVICE
from tasks.shop.demo.history.simulation import Step, Story

CALENDAR, CALENDAR_ID = (
    Product("Wall calendar, letterpress, twelve sheets", 2890),
    "CAL",
)
DEARER = {"INK-NIGHT": 1550, "INK-SEPIA": 1550, "INK-MOSS": 1550}
"""Prices from the day ALL_DEARER on, in hundredths; orders keep the ones they have."""
ALL_DEARER, CALENDAR_ENDS, RENAMED = 110, 48, 87


def price_list(shop: InventedShop) -> Story:
    """Put the goods on the list before the shop opens, and change it later."""
    for product_id, product in {**PRODUCTS, CALENDAR_ID: CALENDAR}.items():
        added = AddProduct(
            product_id=product_id,
            name=product.name,
            unit_price=product.price_in(shop.currency),
            currency=shop.currency,
        )
        yield Step(shop.calendar.at(0, 8), SERVICE, added)
    for day, change in changes(shop):
        yield Step(shop.calendar.at(day, 8, 5), SERVICE, change)


def changes(shop: InventedShop) -> list[tuple[int, Any]]:
    """Return the changes of the list, each with its day."""
    return [
        (CALENDAR_ENDS, DiscontinueProduct(product_id=CALENDAR_ID)),
        (
            RENAMED,
            RenameProduct(
                product_id="DIP-SET", name="Dip pen with five nibs in a wooden box"
            ),
        ),
        *(
            (
                ALL_DEARER,
                ChangePrice(product_id=product_id, unit_price=shop.amount(price)),
            )
            for product_id, price in DEARER.items()
        ),
    ]
