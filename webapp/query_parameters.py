"""The query parameters of a request, parsed strictly."""

import difflib
import re
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NoReturn

from flask import request

from domain.input import unknown_name
from eventstore.projections.views import View
from readmodels import (
    account_statement,
    accounts,
    customers,
    order_list,
    ordered_products,
    products,
    transfers,
)
from webapp.current_shop import the_shop
from webapp.past.moment_asked import ENDPOINTS, PARAMETERS, moment_shown
from webapp.problems import Problem


def only(*names: str) -> None:
    """Raise the Problem that a parameter is not among *names*, or is repeated."""
    if request.endpoint in ENDPOINTS:
        names = (*names, *PARAMETERS)
    for name, values in request.args.lists():
        if name not in names:
            refuse(f"The parameter {shorten_name(name)} {unknown_name(name, names)}")
        once(name, values)


def once(name: str, values: Sequence[str]) -> None:
    """Raise the Problem that the parameter *name* has several *values*, if it has."""
    if len(values) > 1:
        refuse(f"{name} is given twice")


def number(name: str, *, lowest: int = 1, highest: int) -> int | None:
    """Return the integer in the parameter *name*, or None without it."""
    written = request.args.get(name)
    if written is None:
        return None
    if not re.fullmatch("[0-9]{1,19}", written) or not (
        lowest <= int(written) <= highest
    ):
        refuse(f"{name} must be a whole number, {lowest} to {highest}")
    return int(written)


def text(name: str) -> str | None:
    """Return the text in the parameter *name*, or None if it is missing or empty."""
    written = request.args.get(name, "").strip()
    if "\0" in written:
        refuse(f"{name} must not contain a NUL")
    return written or None


def one_of(name: str, choices: Collection[str]) -> str | None:
    """Return the one of *choices* in the parameter *name*, or None without it."""
    written = text(name)
    if written is not None and written not in choices:
        close = difflib.get_close_matches(written[:60], choices, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        refuse(f"{name} must be one of {', '.join(choices)}{meant}")
    return written


def flag(name: str) -> bool | None:
    """Return whether the parameter *name* is true, or None without it."""
    written = one_of(name, FLAGS)
    return None if written is None else FLAGS[written]


def refuse(detail: str) -> NoReturn:
    raise Problem("bad-request", detail if detail[-1] == "?" else f"{detail}.")


def shorten_name(name: str) -> str:
    """Return a name from outside, short enough to be shown."""
    return ascii(name[:60])


FLAGS = {"true": True, "false": False}
PAGING = ("sort", "after")
OF_ORDERS = ("status", "customer", "due", "credit", "ready", "late", "q", *PAGING)
OF_CUSTOMERS = ("q", *PAGING)
OF_PRODUCTS = ("listed", "q", *PAGING)
OF_ORDERED_PRODUCTS = PAGING
OF_ACCOUNTS = ("status", *PAGING)
OF_STATEMENTS = PAGING
OF_TRANSFERS = ("status", "account", *PAGING)


def orders_asked() -> dict[str, Any]:
    """Return the parameters of the list of orders, as arguments of its query."""
    return {
        "status": one_of("status", order_list.STATUSES),
        "customer_id": text("customer"),
        "is_due": flag("due"),
        "has_credit": flag("credit"),
        "is_ready": flag("ready"),
        "late_on": day_asked() if one_of("late", ("true",)) else None,
        "search": text("q"),
        **page_asked(order_list.view, "-placed"),
    }


def customers_asked() -> dict[str, Any]:
    return {"search": text("q"), **page_asked(customers.view, "name")}


def products_asked() -> dict[str, Any]:
    return {
        "is_listed": flag("listed"),
        "search": text("q"),
        **page_asked(products.view, "name"),
    }


def ordered_products_asked() -> dict[str, Any]:
    return page_asked(ordered_products.view, "product")


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


def day_asked() -> date:
    """
    Return the day, in the shop's time zone, that the request is about.

    Raises the Problem that it is about a position, which has none.
    """
    day = day_in_question()
    if day is None:
        refuse("late needs a day: ask for a moment with as_of, not by its position")
    return day


def day_in_question() -> date | None:
    """Return the day that the request is about, None if it is about a position."""
    zone, past = the_shop().settings.timezone, moment_shown()
    if past is None:
        return datetime.now(zone).date()
    return None if past.at is None else past.at.astimezone(zone).date()


def page_asked(view: View[Any], usual: str) -> dict[str, Any]:
    return {
        "sort": one_of("sort", sorts_of(view)) or usual,
        "after": request.args.get("after"),
    }


def sorts_of(view: View[Any]) -> Sequence[str]:
    """Return every sort order of *view*, descending ones with a dash."""
    return [name for sort in view.sorts for name in (sort, f"-{sort}")]


def kept_parameters(*names: str) -> dict[str, str]:
    """Return the parameters *names* of the request, for a link that keeps them."""
    return {name: value for name in names if (value := request.args.get(name))}
