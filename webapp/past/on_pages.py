"""What pages say of the moment that they show, and the way to another one."""

from datetime import datetime, timedelta
from typing import Any

from flask import Flask, request, url_for

from webapp.current_shop import the_notation, the_shop
from webapp.past.moment_asked import (
    PAGES,
    PARAMETERS,
    AskedMoment,
    moment_shown,
    written,
)
from webapp.template_filters import instant

LISTS = {
    "orders.newest": "changed.orders",
    "customers.all_of_them": "changed.customers",
    "accounts.all_of_them": "changed.accounts",
    "transfers.newest": "changed.transfers",
    "products.price_list": "changed.products",
}
"""The page with what changed in a list, by the list's endpoint."""
KEPT_PARAMETERS = (
    *("status", "customer", "account", "due", "credit", "ready", "late", "listed"),
    *("q", "sort", "limit", "column", "by", "kind", "from", "to"),
)
"""What goes along from one day to another; an address may have anything."""


def teach_pages(app: Flask) -> None:
    """Give the templates of *app* what they need to show the past."""
    app.jinja_env.globals.update(
        knows_past=knows_past,
        past_words=past_words,
        address_of_today=address_of_today,
        other_parameters=other_parameters,
        day_shown=lambda: day_of(moment_shown()),
        day_of=day_of,
        today=lambda: f"{now_of_shop():%Y-%m-%d}",
        changes_endpoint=lambda: LISTS.get(request.endpoint or ""),
        address_of_changes=address_of_changes,
    )


def now_of_shop() -> datetime:
    return datetime.now(the_shop().settings.timezone)


def yesterday() -> str:
    return f"{now_of_shop() - timedelta(days=1):%Y-%m-%d}"


def knows_past() -> bool:
    """Return whether the page can show the past."""
    return request.endpoint in PAGES


def past_words(asked: AskedMoment) -> str:
    """Return a moment in words, like "as of 31 Mar 1997"."""
    notation = the_notation()
    if asked.at is None:
        assert asked.position is not None
        return f"as of position {notation.write_number(asked.position)}"
    at = instant(asked.at).astimezone(notation.timezone)
    if asked.is_day:
        return f"as of {notation.write_day(at.date())}"
    return f"as of {notation.write_moment(at)}"


def address_of_today() -> str:
    """Return the address of the same page, as of today."""
    assert request.endpoint is not None
    today: dict[str, Any] = dict.fromkeys(PARAMETERS)
    named = request.view_args or {}
    return url_for(request.endpoint, **{**other_parameters(), **named, **today})


def address_of_changes() -> str:
    """Return the address of what changed in the list since then, or yesterday."""
    since: dict[str, Any] = {**written("from", moment_shown())}
    return url_for(LISTS[request.endpoint or ""], **since)


def other_parameters() -> dict[str, str]:
    """Return what else is asked; not which page of a list, which is of one day."""
    return {
        name: request.args[name] for name in KEPT_PARAMETERS if name in request.args
    }


def day_of(moment: AskedMoment | None) -> str:
    """Return the day of a moment for the field of a form; today for None."""
    if moment is None or moment.at is None:
        return f"{now_of_shop():%Y-%m-%d}"
    return f"{moment.at.astimezone(the_shop().settings.timezone):%Y-%m-%d}"
