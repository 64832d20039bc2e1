"""
The values of settings: each function parses one.

They raise ValueError, or KeyError, for a text of another form.
"""

import base64
import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa
from babel import Locale, UnknownLocaleError

from eventstore.encryption.keys import MasterKeys
from eventstore.subscriptions.snapshot_taker import SnapshotPolicy


def database_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in (
        "postgres",
        "postgresql",
        "postgresql+psycopg",
    ):
        raise ValueError
    try:
        url = sa.make_url(f"postgresql+psycopg://{rest}")
    except sa.exc.ArgumentError as error:
        raise ValueError from error
    if not url.database:
        raise ValueError
    return f"postgresql+psycopg://{rest}"


def broker_url(value: str) -> str:
    """Return *value* in Celery's form; other clients write `unix://`."""
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in (
        "redis",
        "rediss",
        "redis+socket",
        "unix",
        "amqp",
        "amqps",
    ):
        raise ValueError
    return f"redis+socket://{rest}" if scheme == "unix" else value


def url_of(*schemes: str) -> Callable[[str], str | None]:
    """Return a parser of addresses with one of these *schemes*; None for no text."""

    def parse(value: str) -> str | None:
        if value and value.partition("://")[0] not in schemes:
            raise ValueError
        return value or None

    return parse


def secret_key(value: str) -> str:
    if len(value) < 32 or len(set(value)) < 8:
        raise ValueError
    return value


def master_keys(value: str) -> MasterKeys:
    current, *former = (
        base64.b64decode(part.strip(), validate=True) for part in value.split(",")
    )
    if any(len(set(key)) < 8 for key in (current, *former)):
        raise ValueError
    return MasterKeys(current, former)


def port(value: str) -> int:
    number = int(value)
    if not 0 < number < 65536:
        raise ValueError
    return number


def up_to(highest: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not 0 < number <= highest:
            raise ValueError
        return number

    return parse


def currency(value: str) -> str:
    if not re.fullmatch("[A-Z]{3}", value):
        raise ValueError
    return value


def timezone(value: str) -> ZoneInfo:
    if value not in available_timezones():
        raise ValueError
    return ZoneInfo(value)


def locale(value: str) -> str:
    """Return the name of a locale that Babel knows: `de_DE` for `de-de`."""
    try:
        return str(Locale.parse(value.replace("-", "_")))
    except UnknownLocaleError as error:
        raise ValueError from error


def log_level(value: str) -> str:
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError
    return value.upper()


def log_format(value: str) -> str:
    if value.lower() not in ("text", "json"):
        raise ValueError
    return value.lower()


def seconds(value: str) -> float:
    number = float(value)
    if not 0 < number < 86_400:
        raise ValueError
    return number


def seconds_or_never(value: str) -> float | None:
    return None if value == "never" else seconds(value)


def count(value: str) -> int:
    number = int(value)
    if not 0 < number < 2**31:
        raise ValueError
    return number


def size(value: str) -> int:
    """Return the bytes of a size like 500MB or 2GiB."""
    found = re.fullmatch(r"([0-9]{1,12})\s*(?:([KMGT])(i?)B|B?)", value.strip())
    if found is None or int(found[1]) == 0:
        raise ValueError
    unit = 1024 if found[3] else 1000
    return int(found[1]) * int(unit ** (" KMGT".index(found[2] or " ")))


def snapshot_policy(value: str) -> SnapshotPolicy:
    every: int | None = SnapshotPolicy().every
    by_category: dict[str, int | None] = {}
    for number, part in enumerate(value.split(",")):
        category, is_own, told = part.strip().rpartition("=")
        events = None if told == "never" else count(told)
        if is_own and category:
            by_category[category] = events
        elif number == 0 and not is_own:
            every = events
        else:
            raise ValueError
    return SnapshotPolicy(every, by_category)


def unpaid_days(value: str) -> int | None:
    if value == "never":
        return None
    days = int(value)
    if not 0 < days <= 3_650:
        raise ValueError
    return days


def percentage(value: str) -> int | None:
    if value == "never":
        return None
    percent = int(value)
    if not 0 <= percent <= 1_000:
        raise ValueError
    return percent


def folder(value: str) -> Path | None:
    if value and not Path(value).is_absolute():
        raise ValueError
    return Path(value) if value else None


def on_or_off(value: str) -> bool:
    return {"on": True, "off": False}[value.lower()]


def networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(part.strip()) for part in value.split(",")) if value else ()
