"""Dates that a command comes with: what cannot be is refused before it is accepted."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from domain.errors import Fault
from domain.input import reader_of
from eventstore.ids import command_id_for
from eventstore.journal import entries
from tasks.shop.wiring import Shop

MAX_YEARS = 10
"""What is needed later than that is a slip of the hand."""

Problem = Callable[[Any, date, ZoneInfo], str | None]


def never_sent() -> bool:
    return False


def faults_of_dates(
    shop: Shop,
    name: str,
    data: Mapping[str, Any],
    is_known: Callable[[], bool] = never_sent,
) -> list[Fault]:
    """
    Return which dates of a command called *name* cannot be, by field.

    They are compared by day, where the shop is. What this process's clock doubts is
    asked of the database, whose clock dates the events. A command that *is_known* was
    looked at when it came first: sent again, it is answered again.
    """
    faults = find_doubtful(shop, name, data, datetime.now(UTC))
    if faults:
        faults = find_doubtful(shop, name, data, time_of_database(shop))
    return [] if faults and is_known() else faults


def find_doubtful(
    shop: Shop, name: str, data: Mapping[str, Any], now: datetime
) -> list[Fault]:
    zone = shop.settings.timezone
    faults = []
    for field, (kind, problem_of) in RULES.get(name, {}).items():
        value = reader_of(kind)(data.get(field), field, [])
        if isinstance(value, kind):
            problem = problem_of(value, now.astimezone(zone).date(), zone)
            faults += [Fault(field, problem)] if problem else []
    return faults


def problem_of_need(day: date, today: date, zone: ZoneInfo) -> str | None:
    if day < today:
        return f"must not be before today, {today}"
    if day.year > today.year + MAX_YEARS:
        return f"must be at most {MAX_YEARS} years ahead"
    return None


def problem_of_arrival(moment: datetime, today: date, zone: ZoneInfo) -> str | None:
    if moment.astimezone(zone).date() > today:
        return f"must not be after today, {today}"
    return None


RULES: Mapping[str, Mapping[str, tuple[type, Problem]]] = {
    "PlaceOrder": {"required_date": (date, problem_of_need)},
    "ConfirmDelivery": {"delivered_at": (datetime, problem_of_arrival)},
}
"""By command and field. When it was placed and shipped, only the order itself knows."""


def time_of_database(shop: Shop) -> datetime:
    with shop.engine.connect() as connection:
        told: datetime = connection.execute(
            sa.text("SELECT clock_timestamp()")
        ).scalar_one()
    return told.astimezone(UTC)


def knows(shop: Shop, key: str | None, sender: str) -> Callable[[], bool]:
    """Return what asks whether *sender* has sent a command with *key* before."""

    def is_known() -> bool:
        if not key:
            return False
        with shop.engine.connect() as connection:
            return entries.find(connection, command_id_for(sender, key)) is not None

    return is_known
