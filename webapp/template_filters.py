"""Template filters that format amounts, numbers, dates and times."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask
from markupsafe import Markup

from domain.money import minor_digits, rounded_total
from tasks.shop.settings import Settings
from webapp.forms.labels import (
    MOVEMENTS,
    READ_MODELS,
    STANDSTILLS,
    STORES,
    event_label,
    label,
)
from webapp.notation import Notation, notation_of
from webapp.number_signs import ENGLISH
from webapp.refusals import say_amounts, say_refusal


def teach(app: Flask, settings: Settings) -> None:
    """Add the filters of this shop's notation to the templates of *app*."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    notation = notation_of(settings)
    app.add_template_filter(notation.write_amount, "amount")
    app.add_template_filter(notation.write_money, "money")
    app.add_template_filter(notation.write_number, "number")
    app.add_template_filter(
        lambda text: in_language(notation, notation.write_moment(instant(text))),
        "moment",
    )
    app.add_template_filter(lambda moment: instant(moment).isoformat(), "iso")
    app.add_template_filter(notation.write_age, "age")
    app.add_template_filter(
        lambda text: in_language(notation, notation.write_day(day_of(text))), "day"
    )
    app.add_template_filter(
        lambda part: notation.write_percent(part) if Decimal(part) else "", "percent"
    )
    app.add_template_filter(
        lambda hundredths: notation.write_percent(Decimal(hundredths) / 100), "share"
    )
    app.add_template_filter(lambda part: notation.write_percent(round(part, 3)), "part")
    app.add_template_filter(lambda error: say_refusal(error, notation), "refusal")
    app.add_template_filter(lambda text: say_amounts(text, notation), "said")
    app.add_template_filter(label, "label")
    app.add_template_filter(event_label, "event")
    app.add_template_filter(total_of, "total")
    app.add_template_filter(discount_of, "discount")
    app.jinja_env.globals.update(
        currency=settings.currency,
        currency_digits=minor_digits(settings.currency),
        signs=notation.signs,
        timezone=settings.timezone.key,
        movement_words=MOVEMENTS,
        read_model_words=READ_MODELS,
        standstill_words=STANDSTILLS,
        store_words=STORES,
    )


def in_language(notation: Notation, text: str) -> str:
    """Return a day or time; words in it are marked as not of the page's language."""
    if notation.language == ENGLISH or not any(map(str.isalpha, text)):
        return text
    return Markup('<span lang="{}">{}</span>').format(notation.language, text)


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


def day_of(day: date | str) -> date:
    """Return *day*, a text if it comes from JSON."""
    return date.fromisoformat(day) if isinstance(day, str) else day
