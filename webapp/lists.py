"""What the lists can be asked: filters, an order of rows and a page."""

from collections.abc import Sequence
from typing import Any

from flask import request

from eventstore.projections.views import View
from readmodels import (
    account_statement,
    accounts,
    customers,
    order_list,
    products,
    transfers,
)
from webapp.asking import one_of, text

PAGING = ("sort", "after")
OF_ORDERS = ("status", "customer", "q", *PAGING)
OF_CUSTOMERS = ("q", *PAGING)
OF_PRODUCTS = PAGING
OF_ACCOUNTS = ("status", *PAGING)
OF_STATEMENTS = PAGING
OF_TRANSFERS = ("status", "account", *PAGING)


def orders_asked() -> dict[str, Any]:
    """Return what the address asks of the list of orders, as its query takes it."""
    return {
        "status": one_of("status", order_list.STATUSES),
        "customer_id": text("customer"),
        "search": text("q"),
        **page_asked(order_list.view, "-placed"),
    }


def customers_asked() -> dict[str, Any]:
    return {"search": text("q"), **page_asked(customers.view, "name")}


def products_asked() -> dict[str, Any]:
    return page_asked(products.view, "product")


def accounts_asked() -> dict[str, Any]:
    return {
        "status": one_of("status", accounts.STATUSES),
        **page_asked(accounts.view, "account"),
    }


def statement_asked() -> dict[str, Any]:
    return page_asked(account_statement.view, "-happened")


def transfers_asked() -> dict[str, Any]:
    return {
        "status": one_of("status", transfers.STATUSES),
        "account_id": text("account"),
        **page_asked(transfers.view, "-transfer"),
    }


def page_asked(view: View[Any], usual: str) -> dict[str, Any]:
    return {
        "sort": one_of("sort", sorts_of(view)) or usual,
        "after": request.args.get("after"),
    }


def sorts_of(view: View[Any]) -> Sequence[str]:
    """Return every order of rows that *view* has, downward with a dash."""
    return [name for sort in view.sorts for name in (sort, f"-{sort}")]


def kept(*names: str) -> dict[str, str]:
    """Return what the address asks with under *names*: a link to the same keeps it."""
    return {name: value for name in names if (value := request.args.get(name))}
