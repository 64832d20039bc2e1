"""
The moment that a request asks for: `as_of`, or `as_of_position`, in its address.

`as_of` is a date of the shop's time zone, which means its end, or a time. It stays in
the address: links to what knows a moment, made while one is shown, have it, too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, g, request

from webapp.current_shop import the_shop
from webapp.formats import moment_in
from webapp.json_values import as_json
from webapp.problems import Problem

PARAMETERS = ("as_of", "as_of_position")
MAX_POSITION = 2**63 - 1
MIN_YEAR = 2
"""Before it a time has no local time in each zone."""
PAGES = frozenset(
    {
        *("desk.show", "orders.newest", "orders.show_one"),
        *("customers.all_of_them", "customers.show_one"),
        *("accounts.all_of_them", "accounts.show_one"),
        *("transfers.newest", "transfers.show_one"),
        *("products.price_list", "products.show_one", "sales.show"),
    }
)
ENDPOINTS = PAGES | {
    *("queries.orders", "queries.order", "queries.all_customers", "queries.customer"),
    *("queries.all_products", "queries.product", "queries.all_ordered_products"),
    *("queries.figures", "queries.sales", "sales.as_csv", "queries.all_accounts"),
    *("queries.account", "queries.statement", "queries.all_transfers"),
    *("queries.transfer", "documents.orders", "documents.customers"),
    *("why.order", "why.customer", "why.account", "why.statement_line"),
    *("why.transfer", "why.product", "why.ordered_product", "why.figures"),
    *("reasons.order", "reasons.customer", "reasons.account"),
    *("reasons.statement_line", "reasons.transfer", "reasons.product"),
    *("csv.orders", "csv.customers", "csv.products"),
    *("csv.accounts", "csv.statement", "csv.transfers"),
}
"""Endpoints that can show the past."""


@dataclass(frozen=True, slots=True)
class AskedMoment:
    """
    The moment that is asked for: *at* a time in UTC, or a *position*.

    *written* is how it was written, and *is_day* whether it was as a date.
    """

    at: datetime | None
    position: int | None
    written: str
    is_day: bool = False

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameter of an address that asks for it."""
        return {PARAMETERS[self.position is not None]: self.written}

    @property
    def field(self) -> Mapping[str, Any]:
        """What an answer of the API says of it."""
        if self.position is not None:
            return {"as_of_position": self.position}
        return {"as_of": as_json(self.at)}


def know_moments(app: Flask) -> None:
    """Have *app* read the moment of each request, and keep it in links."""
    app.before_request(read_moment)
    app.url_defaults(keep_moment)


def read_moment() -> None:
    """Note the moment that is asked for in `g`. Raises the Problem that it is wrong."""
    g.past = None
    if request.endpoint not in ENDPOINTS or request.method not in ("GET", "HEAD"):
        return
    asked = {name: request.args.getlist(name) for name in PARAMETERS}
    given = [(name, text) for name, texts in asked.items() for text in texts if text]
    if not given:
        return
    if len(given) > 1:
        raise Problem("bad-request", "Ask for one moment, not for several.")
    if request.args.get("min_position"):
        raise Problem("bad-request", "min_position is of no use as of a moment.")
    [(name, text)] = given
    g.past = moment_of_position(name, text) or moment_of_time(name, text)


def moment_of_position(name: str, text: str) -> AskedMoment | None:
    """Return the moment if the parameter *name* asks for a position, or None."""
    if not name.endswith("_position"):
        return None
    if not re.fullmatch("[0-9]{1,19}", text) or int(text) > MAX_POSITION:
        raise Problem("bad-request", f"{name} must be a whole number, from 0.")
    return AskedMoment(None, int(text), text)


def moment_of_time(name: str, text: str) -> AskedMoment | None:
    """
    Return the moment of a date or a time; None for the present day, which is today.

    Raises the Problem that the text is neither.
    """
    zone = the_shop().settings.timezone
    try:
        at = moment_in(text.strip(), zone)
    except ValueError as error:
        raise Problem(
            "bad-request",
            f"{name} must be a date or a time, like 1997-03-31 or"
            " 1997-03-31T17:05:00Z.",
        ) from error
    if at.year < MIN_YEAR:
        raise Problem("bad-request", f"{name} must be in the year {MIN_YEAR} or later.")
    is_day = re.fullmatch("[0-9]{4}-?[0-9]{2}-?[0-9]{2}", text.strip()) is not None
    if is_day and text.strip() == f"{datetime.now(zone):%Y-%m-%d}":
        return None
    return AskedMoment(at, None, text.strip(), is_day)


def written(name: str, moment: AskedMoment | None) -> Mapping[str, str]:
    """Return the parameter *name* that asks for a moment, none for today."""
    if moment is None:
        return {}
    return {name if moment.position is None else f"{name}_position": moment.written}


def keep_moment(endpoint: str, values: dict[str, Any]) -> None:
    """Put the moment that is shown into a link, unless the link has one, or None."""
    past = moment_shown()
    if past is not None and endpoint in ENDPOINTS and not values.keys() & {*PARAMETERS}:
        values.update(past.parameters)


def moment_shown() -> AskedMoment | None:
    """Return the moment of the past that this request is about; None: it is today."""
    found: AskedMoment | None = g.get("past")
    return found
