"""Check the dates of a command before it is accepted."""

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
"""A later date is most likely mistyped."""

Check = Callable[[str, Any, date, ZoneInfo], Fault | None]
"""From a field, its value, today and the zone to what is wrong or doubtful."""


def never_sent() -> bool:
    return False


def faults_of_dates(
    shop: Shop,
    name: str,
    data: Mapping[str, Any],
    is_known: Callable[[], bool] = never_sent,
) -> list[Fault]:
    """
    Return the faults of the dates of a command called *name*, by field.

    Days are those of the shop's time zone. If a date is wrong by this process's clock,
    the database's clock decides, since it dates the events. A command that *is_known*
    was checked when it was accepted, and is not checked again.
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
    for field, (kind, check) in RULES.get(name, {}).items():
        value = reader_of(kind)(data.get(field), field, [])
        if isinstance(value, kind):
            fault = check(field, value, now.astimezone(zone).date(), zone)
            faults += [fault] if fault else []
    return faults


def check_need(field: str, day: date, today: date, zone: ZoneInfo) -> Fault | None:
    if day < today:
        return Fault(field, f"is before today, {today}", doubtful=True)
    return check_far(field, day, today)


def check_far(field: str, day: date, today: date) -> Fault | None:
    if day.year > today.year + MAX_YEARS:
        return Fault(field, f"must be at most {MAX_YEARS} years ahead")
    return None


def check_put_off(field: str, day: date, today: date, zone: ZoneInfo) -> Fault | None:
    if day < today:
        return Fault(field, f"must not be before today, {today}")
    return check_far(field, day, today)


def check_arrival(
    field: str, moment: datetime, today: date, zone: ZoneInfo
) -> Fault | None:
    if moment.astimezone(zone).date() > today:
        return Fault(field, f"must not be after today, {today}")
    return None


RULES: Mapping[str, Mapping[str, tuple[type, Check]]] = {
    "PlaceOrder": {"required_date": (date, check_need)},
    "PlaceFirstOrder": {"required_date": (date, check_need)},
    "PutOffCancellation": {"until": (date, check_put_off)},
    "ConfirmDelivery": {"delivered_at": (datetime, check_arrival)},
}
"""By command and field. Only the decider knows when an order was placed or shipped."""


def time_of_database(shop: Shop) -> datetime:
    with shop.engine.connect() as connection:
        told: datetime = connection.execute(
            sa.text("SELECT clock_timestamp()")
        ).scalar_one()
    return told.astimezone(UTC)


def knows(shop: Shop, key: str | None, sender: str) -> Callable[[], bool]:
    """Return a function that looks up whether *sender* has used *key* before."""

    def is_known() -> bool:
        if not key:
            return False
        with shop.engine.connect() as connection:
            return entries.find(connection, command_id_for(sender, key)) is not None

    return is_known
