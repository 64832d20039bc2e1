"""How pages write amounts and times, and the numbers that addresses ask with."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask, request

from domain.money import format_number, rounded_total
from tasks.settings import Settings
from webapp.forms import percentage
from webapp.problems import Problem


def teach(app: Flask, settings: Settings) -> None:
    """Teach the templates of *app* how this shop writes things."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.add_template_filter(format_number, "amount")
    app.add_template_filter(
        lambda moment: people_time(moment.astimezone(settings.timezone)), "moment"
    )
    app.add_template_filter(lambda moment: moment.astimezone(UTC).isoformat(), "iso")
    app.add_template_filter(lambda day: people_date(date.fromisoformat(day)), "day")
    app.add_template_filter(
        lambda part: f"{percentage(part)} %" if percentage(part) else "", "percent"
    )
    app.add_template_filter(total_of, "total")
    app.jinja_env.globals.update(
        currency=settings.currency, timezone=settings.timezone.key
    )


def total_of(items: Iterable[Mapping[str, Any]]) -> int:
    """Return the total that the rules of the shop give an order's lines."""
    return rounded_total(
        (item["unit_price"], item["quantity"], Decimal(item["discount"]))
        for item in items
    )


def people_date(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def people_time(moment: datetime) -> str:
    return f"{people_date(moment)}, {moment:%H:%M}"


def number_asked(name: str, *, highest: int) -> int | None:
    """
    Return the number that the address asks with as *name*, if it does.

    Raises the Problem that it is no whole number from 1 to *highest*.
    """
    written = request.args.get(name)
    if written is None:
        return None
    if not re.fullmatch("[0-9]{1,16}", written) or not 0 < int(written) <= highest:
        raise Problem("bad-request", f"{name} must be a whole number, 1 to {highest}.")
    return int(written)
