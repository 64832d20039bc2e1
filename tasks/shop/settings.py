"""The settings, read from the environment or `.env`; a wrong one ends the process."""

import base64
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa
from dotenv import load_dotenv

from eventstore.encryption.keys import MasterKeys
from eventstore.subscriptions.snapshot_taker import SnapshotPolicy
from tasks.shop.misspelled_variables import find_misspelled
from tasks.shop.process_name import process_name

T = TypeVar("T")

EX_CONFIG = 78
"""What sysexits.h calls a configuration error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the order desk must be told; README and docs list the variables."""

    database_url: str
    role: str = "operator"
    admin_database_url: str | None = None
    broker_url: str
    secret_key: str
    master_keys: MasterKeys
    port: int = 5000
    web_processes: int = field(default_factory=lambda: usual_processes())
    web_threads: int = 16
    currency: str = "EUR"
    timezone: ZoneInfo
    log_level: str = "INFO"
    log_format: str = "text"
    catch_up_seconds: float = 5.0
    catch_up_signals: bool = True
    snapshot_policy: SnapshotPolicy = field(default_factory=SnapshotPolicy)
    snapshot_seconds: float = 30.0
    seal_seconds: float = 10.0
    unpaid_days: int | None = 30
    conflict_retries: int = 5
    seals_export_dir: Path | None = None
    state_dir: Path = Path(".local")


class BadSetting(ValueError):
    """A variable of the environment does not have the form that is expected."""


DATABASE_URL = "DATABASE_URL"
OF_ROLES = {
    role: f"{role.upper()}_{DATABASE_URL}"
    for role in ("web", "worker", "relay", "reader", "operator", "admin")
}
"""By what a process does, the variable that takes the place of DATABASE_URL for it."""


VARIABLES = frozenset(
    {
        *OF_ROLES.values(),
        *(DATABASE_URL, "REDIS_URL", "SECRET_KEY", "MASTER_KEY"),
        *("PORT", "CURRENCY", "TIMEZONE", "LOG_LEVEL", "LOG_FORMAT"),
        *("CATCH_UP_SECONDS", "CATCH_UP_SIGNALS"),
        *("WEB_PROCESSES", "WEB_THREADS"),
        *("SNAPSHOT_EVENTS", "SNAPSHOT_SECONDS"),
        *("SEAL_SECONDS", "SEALS_EXPORT_DIR", "UNPAID_DAYS", "CONFLICT_RETRIES"),
        # Read elsewhere: by ./recount, and by its demo.
        *("STATE_DIR", "POSTGRES_BIN", "POSTGRES_AS_ROOT", "REDIS_SERVER"),
        *("RECOUNT_TOKEN", "RECOUNT_STARTED", "RECOUNT_SUPERVISED"),
    }
)
"""Every variable that is ours; one that only looks so is refused."""


def settings_from(environment: Mapping[str, str], role: str = "operator") -> Settings:
    """
    Return the settings that *environment* holds for a process of that *role*.

    Raises BadSetting, whose message names the variable and the form expected and
    never its value: a URL may hold a password. So it does for a variable that was
    meant to be one of ours and is misspelt.
    """

    def read(name: str, form: str, parse: Callable[[str], T], default: str = "") -> T:
        try:
            return parse(environment.get(name) or default)
        except (ValueError, KeyError) as error:
            raise BadSetting(f"{name}: expected {form}") from error

    if misspelt := find_misspelled(environment, VARIABLES):
        raise BadSetting(str(misspelt[0]))
    own = OF_ROLES[role]
    return Settings(
        database_url=read(
            own if environment.get(own) else DATABASE_URL,
            "postgresql://user:password@host:5432/name",
            database_url,
        ),
        role=role,
        admin_database_url=read(
            OF_ROLES["admin"],
            "postgresql://user:password@host:5432/name",
            lambda value: database_url(value) if value else None,
        ),
        broker_url=read(
            "REDIS_URL",
            "redis://host:6379/0, redis+socket:///path/to.sock or amqp://host",
            broker_url,
        ),
        secret_key=read("SECRET_KEY", "at least 32 characters of chance", secret_key),
        master_keys=read(
            "MASTER_KEY",
            "32 bytes of chance in base64; a comma and a former one may follow",
            master_keys,
        ),
        port=read("PORT", "a number from 1 to 65535", port, "5000"),
        web_processes=read(
            "WEB_PROCESSES", "a number from 1 to 64", up_to(64), str(usual_processes())
        ),
        web_threads=read("WEB_THREADS", "a number from 1 to 64", up_to(64), "16"),
        currency=read("CURRENCY", "three letters, like EUR", currency, "EUR"),
        timezone=read("TIMEZONE", "a name like Europe/Berlin", timezone, "UTC"),
        log_level=read("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", log_level, "INFO"),
        log_format=read("LOG_FORMAT", "text or json", log_format, "text"),
        catch_up_seconds=read("CATCH_UP_SECONDS", "seconds above 0", seconds, "5"),
        catch_up_signals=read("CATCH_UP_SIGNALS", "on or off", on_or_off, "on"),
        snapshot_policy=read(
            "SNAPSHOT_EVENTS",
            "a number from 1 on or never, and by category, like 100,order=never",
            snapshot_policy,
            str(SnapshotPolicy().every),
        ),
        snapshot_seconds=read("SNAPSHOT_SECONDS", "seconds above 0", seconds, "30"),
        seal_seconds=read("SEAL_SECONDS", "seconds above 0", seconds, "10"),
        unpaid_days=read(
            "UNPAID_DAYS", "days from 1 to 3650, or never", unpaid_days, "30"
        ),
        conflict_retries=read(
            "CONFLICT_RETRIES", "a number from 1 to 100", up_to(100), "5"
        ),
        seals_export_dir=read("SEALS_EXPORT_DIR", "an absolute path", folder),
        state_dir=read("STATE_DIR", "a path", Path, ".local"),
    )


def load_settings(role: str | None = None) -> Settings:
    """
    Return the settings of this process: its environment, then the file `.env`.

    Which database it is given follows from its *role*, which is told from how it was
    started.

    Ends the process with exit status 78 and one line where a variable is wrong.
    """
    load_dotenv()
    try:
        return settings_from(os.environ, role or role_of(process_name(sys.argv)))
    except BadSetting as error:
        stop_for(str(error))


def role_of(process: str) -> str:
    """Return whose rights a process has; beat asks the database nothing."""
    return {"web": "web", "relay": "relay", "worker": "worker", "beat": "worker"}.get(
        process, "operator"
    )


def stop_for(reason: str) -> NoReturn:
    """End the process for a wrong configuration, as service managers expect it."""
    print(f"recount: {reason}", file=sys.stderr)
    raise SystemExit(EX_CONFIG)


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
    """Return *value* as Celery wants it; `unix://` is what other clients write."""
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


def usual_processes() -> int:
    """Return how many processes serve the web: one a core that we may use, up to 4."""
    return min(len(os.sched_getaffinity(0)), 4)


def currency(value: str) -> str:
    if not re.fullmatch("[A-Z]{3}", value):
        raise ValueError
    return value


def timezone(value: str) -> ZoneInfo:
    if value not in available_timezones():
        raise ValueError
    return ZoneInfo(value)


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


def count(value: str) -> int:
    number = int(value)
    if not 0 < number < 2**31:
        raise ValueError
    return number


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


def folder(value: str) -> Path | None:
    if value and not Path(value).is_absolute():
        raise ValueError
    return Path(value) if value else None


def on_or_off(value: str) -> bool:
    return {"on": True, "off": False}[value.lower()]
