"""Which products of a history come onto the price list, and from when to when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from domain.fields import PRODUCT_ID
from domain.products.events import ProductAdded
from tasks.shop.history_import.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedProduct:
    """
    A product of the list, with the day of its first order.

    *until* is the day of its last order if it is discontinued: the files do not say
    since when it is.
    """

    added: ProductAdded
    since: date
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """
    The products of a history by id, and the ids of those that are not on the list.

    A line may name a product of the list and leave out its price, so there is none
    without a price; *without_price* are those whose price is missing, unreadable or 0.
    *no_numbers* are ids that no product of this shop can have. In the orders both stay
    what they were: a line has its own name and price, and notes the id.
    """

    products: Mapping[str, ListedProduct]
    without_price: Sequence[str]
    no_numbers: Sequence[str]


def price_list_of(history: History, currency: str) -> PriceList:
    days = days_of_orders(history)
    earliest = min(order.order_date for order in history.orders.values())
    products: dict[str, ListedProduct] = {}
    without_price, no_numbers = [], []
    for product_id, row in history.products.items():
        price = history.prices.get(product_id)
        if PRODUCT_ID.problem(product_id) is not None:
            no_numbers.append(product_id)
        elif price is None or not price.unit_price:
            without_price.append(product_id)
        else:
            first, last = days.get(product_id, (earliest, earliest))
            products[product_id] = ListedProduct(
                added=ProductAdded(
                    name=row.product_name,
                    unit_price=price.unit_price,
                    currency=currency,
                ),
                since=first,
                until=last if price.discontinued else None,
            )
    return PriceList(
        products=products, without_price=without_price, no_numbers=no_numbers
    )


def days_of_orders(history: History) -> dict[str, tuple[date, date]]:
    """Return the days of the first and last order of each product that was ordered."""
    days: dict[str, tuple[date, date]] = {}
    for number, order in history.orders.items():
        for line in history.items[number]:
            assert line.product_id is not None
            day = order.order_date
            first, last = days.get(line.product_id, (day, day))
            days[line.product_id] = min(first, day), max(last, day)
    return days
