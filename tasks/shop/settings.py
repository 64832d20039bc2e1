"""The settings, read from the environment and `.env`; a wrong one ends the process."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from dotenv import load_dotenv

from eventstore.encryption.keys import MasterKeys
from eventstore.subscriptions.snapshot_taker import SnapshotPolicy
from tasks.shop import setting_values as values
from tasks.shop.bad_setting import BadSetting, stop_for
from tasks.shop.misspelled_variables import find_misspelled
from tasks.shop.process_name import process_name

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the order desk; README and docs list the variables."""

    database_url: str
    role: str = "operator"
    admin_database_url: str | None = None
    replica_database_url: str | None = None
    read_database_url: str | None = None
    cache_url: str | None = None
    search_url: str | None = None
    documents_url: str | None = None
    broker_url: str
    secret_key: str
    master_keys: MasterKeys
    port: int = 5000
    web_processes: int = field(default_factory=lambda: usual_processes())
    web_threads: int = 16
    currency: str = "EUR"
    timezone: ZoneInfo
    locale: str = "en"
    log_level: str = "INFO"
    log_format: str = "text"
    catch_up_seconds: float = 5.0
    catch_up_signals: bool = True
    snapshot_policy: SnapshotPolicy = field(default_factory=SnapshotPolicy)
    snapshot_seconds: float = 30.0
    seal_seconds: float = 10.0
    audit_seconds: float | None = 60.0
    unpaid_days: int | None = 30
    price_tolerance: int | None = 30
    conflict_retries: int = 5
    seals_export_dir: Path | None = None
    past_copies: int = 50
    past_bytes: int = 2 * 1024**3
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    state_dir: Path = Path(".local")

    @property
    def names_stores(self) -> bool:
        """Return whether any store is named that is written by changes of rows."""
        return bool(
            self.read_database_url
            or self.cache_url
            or self.search_url
            or self.documents_url
        )


DATABASE_URL = "DATABASE_URL"
A_DATABASE = "postgresql://user:password@host:5432/name"
OF_ROLES = {
    role: f"{role.upper()}_{DATABASE_URL}"
    for role in ("web", "worker", "relay", "reader", "operator", "admin")
}
"""By role of a process, the variable used instead of DATABASE_URL."""


VARIABLES = frozenset(
    {
        *OF_ROLES.values(),
        *(DATABASE_URL, "REDIS_URL", "SECRET_KEY", "MASTER_KEY"),
        *("REPLICA_DATABASE_URL", "READ_DATABASE_URL"),
        *("CACHE_URL", "SEARCH_URL", "DOCUMENTS_URL"),
        *("PORT", "CURRENCY", "TIMEZONE", "LOCALE"),
        *("LOG_LEVEL", "LOG_FORMAT"),
        *("CATCH_UP_SECONDS", "CATCH_UP_SIGNALS"),
        *("WEB_PROCESSES", "WEB_THREADS"),
        *("SNAPSHOT_EVENTS", "SNAPSHOT_SECONDS"),
        *("SEAL_SECONDS", "SEALS_EXPORT_DIR", "CONFLICT_RETRIES"),
        *("UNPAID_DAYS", "PRICE_TOLERANCE"),
        *("AUDIT_SECONDS", "PAST_COPIES", "PAST_BYTES", "WEBHOOK_ALLOW_PRIVATE"),
        # Read elsewhere: by ./recount, and by its demo.
        *("STATE_DIR", "POSTGRES_BIN", "POSTGRES_AS_ROOT", "REDIS_SERVER"),
        *("RECOUNT_TOKEN", "RECOUNT_STARTED", "RECOUNT_SUPERVISED"),
    }
)
"""All our variables; one that resembles them is refused."""


def settings_from(environment: Mapping[str, str], role: str = "operator") -> Settings:
    """
    Return the settings in *environment* for a process of that *role*.

    Raises BadSetting, also for a misspelt variable. Its message names the variable and
    the expected form, never the value: a URL may have a password.
    """

    def read(name: str, form: str, parse: Callable[[str], T], default: str = "") -> T:
        try:
            return parse(environment.get(name) or default)
        except (ValueError, KeyError) as error:
            raise BadSetting(f"{name}: expected {form}") from error

    def read_url(name: str) -> str | None:
        return (
            read(name, A_DATABASE, lambda value: value and values.database_url(value))
            or None
        )

    if misspelt := find_misspelled(environment, VARIABLES):
        raise BadSetting(str(misspelt[0]))
    own = OF_ROLES[role]
    settings = Settings(
        database_url=read(
            own if environment.get(own) else DATABASE_URL,
            A_DATABASE,
            values.database_url,
        ),
        role=role,
        admin_database_url=read_url(OF_ROLES["admin"]),
        replica_database_url=read_url("REPLICA_DATABASE_URL"),
        read_database_url=read_url("READ_DATABASE_URL"),
        cache_url=read(
            "CACHE_URL",
            "redis://host:6379/0, rediss://host or unix:///path/to.sock",
            values.url_of("redis", "rediss", "unix"),
        ),
        search_url=read(
            "SEARCH_URL",
            "http://user:password@host:9200 or https://host",
            values.url_of("http", "https"),
        ),
        documents_url=read(
            "DOCUMENTS_URL",
            "mongodb://user:password@host:27017/name or mongodb+srv://host/name",
            values.url_of("mongodb", "mongodb+srv"),
        ),
        broker_url=read(
            "REDIS_URL",
            "redis://host:6379/0, redis+socket:///path/to.sock or amqp://host",
            values.broker_url,
        ),
        secret_key=read(
            "SECRET_KEY", "at least 32 characters of chance", values.secret_key
        ),
        master_keys=read(
            "MASTER_KEY",
            "32 bytes of chance in base64; a comma and a former one may follow",
            values.master_keys,
        ),
        port=read("PORT", "a number from 1 to 65535", values.port, "5000"),
        web_processes=read(
            "WEB_PROCESSES",
            "a number from 1 to 64",
            values.up_to(64),
            str(usual_processes()),
        ),
        web_threads=read(
            "WEB_THREADS", "a number from 1 to 64", values.up_to(64), "16"
        ),
        currency=read("CURRENCY", "three letters, like EUR", values.currency, "EUR"),
        timezone=read("TIMEZONE", "a name like Europe/Berlin", values.timezone, "UTC"),
        locale=read(
            "LOCALE",
            "a language, or one and a country, like en, de_DE or en_IN",
            values.locale,
            "en",
        ),
        log_level=read(
            "LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", values.log_level, "INFO"
        ),
        log_format=read("LOG_FORMAT", "text or json", values.log_format, "text"),
        catch_up_seconds=read(
            "CATCH_UP_SECONDS", "seconds above 0", values.seconds, "5"
        ),
        catch_up_signals=read("CATCH_UP_SIGNALS", "on or off", values.on_or_off, "on"),
        snapshot_policy=read(
            "SNAPSHOT_EVENTS",
            "a number from 1 on or never, and by category, like 100,order=never",
            values.snapshot_policy,
            str(SnapshotPolicy().every),
        ),
        snapshot_seconds=read(
            "SNAPSHOT_SECONDS", "seconds above 0", values.seconds, "30"
        ),
        seal_seconds=read("SEAL_SECONDS", "seconds above 0", values.seconds, "10"),
        audit_seconds=read(
            "AUDIT_SECONDS", "seconds above 0, or never", values.seconds_or_never, "60"
        ),
        unpaid_days=read(
            "UNPAID_DAYS", "days from 1 to 3650, or never", values.unpaid_days, "30"
        ),
        price_tolerance=read(
            "PRICE_TOLERANCE",
            "a percentage from 0 to 1000, or never",
            values.percentage,
            "30",
        ),
        conflict_retries=read(
            "CONFLICT_RETRIES", "a number from 1 to 100", values.up_to(100), "5"
        ),
        seals_export_dir=read("SEALS_EXPORT_DIR", "an absolute path", values.folder),
        past_copies=read(
            "PAST_COPIES", "a number from 1 to 1000", values.up_to(1000), "50"
        ),
        past_bytes=read("PAST_BYTES", "bytes, like 500MB or 2GiB", values.size, "2GiB"),
        webhook_networks=read(
            "WEBHOOK_ALLOW_PRIVATE",
            "networks like 10.1.0.0/16, with commas between them",
            values.networks,
        ),
        state_dir=read("STATE_DIR", "a path", Path, ".local"),
    )
    if settings.cache_url:
        # It loads the client, which only those need who have the store.
        from tasks.stores.cache_checks import refuse_broker

        refuse_broker(settings.cache_url, settings.broker_url)
    return settings


def load_settings(role: str | None = None) -> Settings:
    """
    Return the settings of this process: its environment, then the file `.env`.

    The *role* decides about the URL of the database; by default it follows from how
    the process was started.

    Ends the process with exit status 78 and one line if a variable is wrong.
    """
    load_dotenv()
    try:
        return settings_from(os.environ, role or role_of(process_name(sys.argv)))
    except BadSetting as error:
        stop_for(str(error))


def role_of(process: str) -> str:
    """Return the role of a process; beat sends no statement to the database."""
    return {"web": "web", "relay": "relay", "worker": "worker", "beat": "worker"}.get(
        process, "operator"
    )


def usual_processes() -> int:
    """Return the number of web processes: one for each usable core, up to 4."""
    return min(len(os.sched_getaffinity(0)), 4)
