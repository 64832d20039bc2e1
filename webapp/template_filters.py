"""Template filters that format amounts, numbers, dates and times."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.money import (
    format_amount,
    format_number,
    minor_digits,
    rounded_total,
)
from tasks.shop.settings import Settings
from webapp.formats import percentage
from webapp.forms.labels import (
    MOVEMENTS,
    READ_MODELS,
    STANDSTILLS,
    STORES,
    event_label,
    label,
)

if TYPE_CHECKING:
    # The command line formats times as pages do, and needs no Flask.
    from flask import Flask


def teach(app: "Flask", settings: Settings) -> None:
    """Add the filters of this shop's notation to the templates of *app*."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.add_template_filter(format_number, "amount")
    app.add_template_filter(format_amount, "money")
    app.add_template_filter("{:,}".format, "number")
    app.add_template_filter(
        lambda moment: people_time(instant(moment).astimezone(settings.timezone)),
        "moment",
    )
    app.add_template_filter(lambda moment: instant(moment).isoformat(), "iso")
    app.add_template_filter(people_age, "age")
    app.add_template_filter(people_date, "day")
    app.add_template_filter(
        lambda part: f"{percentage(part)} %" if percentage(part) else "", "percent"
    )
    app.add_template_filter(label, "label")
    app.add_template_filter(event_label, "event")
    app.add_template_filter(total_of, "total")
    app.add_template_filter(discount_of, "discount")
    app.jinja_env.globals.update(
        currency=settings.currency,
        currency_digits=minor_digits(settings.currency),
        timezone=settings.timezone.key,
        movement_words=MOVEMENTS,
        read_model_words=READ_MODELS,
        standstill_words=STANDSTILLS,
        store_words=STORES,
    )


def total_of(order: Mapping[str, Any]) -> int | None:
    """
    Return the total of a command's order by the shop's rules.

    None if it takes a price from the list: which one, only its event says.
    """
    if any(item.get("unit_price") is None for item in order["items"]):
        return None
    lines = (
        (item["unit_price"], item["quantity"], Decimal(item["discount"]))
        for item in order["items"]
    )
    return rounded_total(lines, discount_of(order)) + (order.get("freight") or 0)


def discount_of(order: Mapping[str, Any]) -> Decimal:
    """Return the discount on the whole order; old orders have none."""
    return Decimal(order.get("discount", 0))


def instant(moment: datetime | str) -> datetime:
    """Return *moment*, a text if it comes from JSON, in UTC."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(UTC)


def people_date(day: date | str) -> str:
    if isinstance(day, str):
        day = date.fromisoformat(day)
    return f"{day.day} {day:%b %Y}"


def people_time(moment: datetime) -> str:
    return f"{people_date(moment)}, {moment:%H:%M}"


def people_age(seconds: float) -> str:
    """Return a duration in seconds as people say it, in its largest whole unit."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds / size):,} {unit}"
    return f"{seconds:.0f} s"
