"""Orders, customers and accounts in addresses of pages and the API."""

import re
from collections.abc import Iterable

from flask import Flask
from werkzeug.routing import BaseConverter

MAX_NUMBER = 2**53
"""JSON parsers do not agree on larger numbers, so nothing has one."""
ORDER = f"<int(min=1, max={MAX_NUMBER}):order_id>"
CUSTOMER = "<customer:customer_id>"
# Accounts and products have ids of the same form as customers.
ACCOUNT = "<customer:account_id>"
PRODUCT = "<customer:product_id>"
TRANSFER = f"<int(min=1, max={MAX_NUMBER}):transfer_id>"

# A line of a statement, which has the position of its event.
LINE = f"<int(min=1, max={MAX_NUMBER}):position>"

PAGES_OF_ALL = frozenset({"new", "changes", "changes.csv"})


class CustomerNumber(BaseConverter):
    """
    A customer's number in an address; a customer called `new` is at `~new`.

    So are those who are called as a page about all of them.
    """

    regex = "~?[A-Za-z0-9][A-Za-z0-9._-]{0,39}"

    def to_python(self, value: str) -> str:
        return value.removeprefix("~")

    def to_url(self, value: str) -> str:
        mark = "~" if value in PAGES_OF_ALL else ""
        return mark + super().to_url(value)


def know_numbers(app: Flask) -> None:
    """Add the converters of numbers to the addresses of *app*."""
    app.url_map.converters["customer"] = CustomerNumber


def numbers_of_orders(texts: Iterable[str]) -> list[int]:
    """Return the numbers of orders that *texts* are; what cannot be one is left out."""
    numbers = [int(text) for text in texts if re.fullmatch("[1-9][0-9]{0,15}", text)]
    return [number for number in numbers if number <= MAX_NUMBER]
