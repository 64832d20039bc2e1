"""Examining: every refusal that comes before the first append is here."""

from typing import Any

import psycopg

from eventstore.personal.keys import MasterKeys
from tasks.bootstrap import Shop, schema_mismatch
from tasks.currency import currency_of
from tasks.importing.comparing import Compared, compare, waiting_for
from tasks.importing.errors import ImportRefused, StreamsUsedOtherwise
from tasks.importing.plan import Plan


def examine_shop(shop: Shop, currency: str) -> None:
    """Refuse a shop of another currency: amounts are never converted."""
    own = shop.settings.currency
    if currency != own:
        raise ImportRefused(
            f"the files are in {currency}, and CURRENCY is {own}: set it to {currency}"
            " for all processes of a new shop, or convert the files"
        )
    if wrong := schema_mismatch(shop.engine):
        raise ImportRefused(f"{wrong.what}; {wrong.remedy}")


def examine_log(
    connection: psycopg.Connection[Any],
    plan: Plan,
    currency: str,
    masters: MasterKeys | None,
) -> Compared:
    """
    Return what of *plan* is in the log.

    Raises StreamsUsedOtherwise, or ImportRefused for a log of another currency.
    """
    refuse_other_currency(connection, currency)
    compared = compare(connection, plan, masters)
    otherwise = compared.otherwise or waiting_for(
        connection, compared.new_streams(plan)
    )
    if otherwise:
        raise StreamsUsedOtherwise(otherwise)
    return compared


def refuse_other_currency(connection: psycopg.Connection[Any], currency: str) -> None:
    """Refuse amounts that the log would take for others."""
    of_log = currency_of(connection)
    if of_log not in (currency, None):
        raise ImportRefused(
            f"the files are in {currency}, the log's amounts in {of_log}"
        )
