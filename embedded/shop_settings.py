"""
The settings of a shop that stay with it, in its data folder.

Another currency or time zone would falsify its history, another port break bookmarks,
and another locale surprise those who read its pages.
"""

from collections.abc import Mapping

import msgspec
import psycopg

from embedded.folders import Folders
from tasks.shop.bad_setting import BadSetting
from tasks.shop.connections import connect
from tasks.shop.currency import currency_of
from tasks.shop.setting_values import database_url
from tasks.shop.settings import settings_from


class ShopSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings of one shop; None is not known yet."""

    currency: str | None = None
    timezone: str | None = None
    locale: str | None = None
    port: int | None = None


def read(folders: Folders) -> ShopSettings:
    """Return the stored settings; empty if the file cannot be read."""
    try:
        return msgspec.json.decode(folders.shop.read_bytes(), type=ShopSettings)
    except (FileNotFoundError, msgspec.MsgspecError):
        return ShopSettings()


def keep(settings: ShopSettings, folders: Folders) -> None:
    """Write *settings* down, whole or not at all."""
    partial = folders.shop.with_suffix(".new")
    partial.write_bytes(msgspec.json.encode(settings))
    partial.replace(folders.shop)


def resolve(environment: Mapping[str, str], folders: Folders) -> ShopSettings:
    """
    Return the settings of this run: those of *environment*, else the stored ones.

    A shop without a file has the currency of its log. Raises BadSetting, in one line,
    where the log's amounts are in another currency than the one that is set.
    """
    kept = read(folders)
    of_log = currency_of_log(environment)
    # Parsed here, so that a misspelt one is refused before it is kept.
    parsed = settings_from(
        {
            **environment,
            "CURRENCY": environment.get("CURRENCY") or kept.currency or of_log or "",
            "TIMEZONE": environment.get("TIMEZONE") or kept.timezone or "",
            "LOCALE": environment.get("LOCALE") or kept.locale or "",
        }
    )
    if of_log not in (None, parsed.currency):
        raise BadSetting(
            f"CURRENCY is {parsed.currency}, and the amounts in the log are in"
            f" {of_log}; set CURRENCY to {of_log}, or take a new database"
        )
    return ShopSettings(
        currency=parsed.currency,
        timezone=parsed.timezone.key,
        locale=parsed.locale,
        port=kept.port,
    )


def currency_of_log(environment: Mapping[str, str]) -> str | None:
    """Return the currency of the log; None if it has no amounts."""
    try:
        with connect(database_url(environment["DATABASE_URL"])) as connection:
            return currency_of(connection)
    except psycopg.errors.UndefinedTable:
        return None
