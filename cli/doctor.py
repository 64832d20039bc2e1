"""`recount doctor`: checks whether the database can lose data."""

import sys

import click
import msgspec
from sqlalchemy.exc import OperationalError

from eventstore.ailment import Ailment
from eventstore.database.connection_limits import check_all_connections
from eventstore.database.doctor import CHECKS, diagnose
from eventstore.session_errors import UnfitSession
from tasks.broker.checks import check_broker
from tasks.shop.bad_setting import EX_CONFIG
from tasks.shop.connections import sessions_needed
from tasks.shop.identity import identity_of
from tasks.shop.startup_checks import other_currency, schema_ailments, session_ailment
from tasks.shop.wiring import Shop, shop
from tasks.stores.checks import check_stores
from tasks.stores.standings import StoreStanding


@click.command(short_help="Check whether the database can lose data.")
@click.option("--json", "as_json", is_flag=True, help="Lines of JSON.")
def doctor(as_json: bool) -> None:
    """
    Check whether the database can lose data: settings, triggers, rights, clock.

    Says what is wrong and what to do. Ends with 1 if anything is, and with 78 if that
    loses data: then no process begins its work. It is asked as the operator; by
    OPERATOR_DATABASE_URL another login can be looked at.
    """
    standings: list[StoreStanding] = []
    found = find_all(shop(), standings)
    for ailment in found:
        click.echo(as_line(ailment) if as_json else describe_ailment(ailment))
    if not as_json and not found:
        names = [check.__name__.removeprefix("check_") for check in CHECKS]
        stores = [f"{one.name} ({one.seconds_old:.1f} s old)" for one in standings]
        names = ["session", "schema", "currency", *names, "connections", "broker"]
        click.echo(f"{', '.join([*names, *stores])}: nothing is wrong")
    if found:
        sys.exit(EX_CONFIG if found[0].is_fatal else 1)


def find_all(shop: Shop, standings: list[StoreStanding]) -> list[Ailment]:
    """Return what is wrong; *standings* is filled with how read databases stand."""
    try:
        wrong = schema_ailments(shop)
    except OperationalError as error:
        if not isinstance(error.orig, UnfitSession):
            raise
        return [session_ailment(error.orig)]
    if wrong:
        return wrong
    with shop.lent() as connection:
        wrong = other_currency(connection, shop.settings.currency)
        return [
            *wrong,
            *diagnose(connection),
            *check_all_connections(
                connection, sessions_needed(shop.settings.web_processes)
            ),
            *check_broker(shop.settings.broker_url, identity_of(connection)),
            *check_stores(shop, connection, standings),
        ]


def describe_ailment(ailment: Ailment) -> str:
    weight = "LOSES DATA: " if ailment.is_fatal else ""
    return f"{ailment.check}: {weight}{ailment.what}\n    to do: {ailment.remedy}"


def as_line(ailment: Ailment) -> str:
    return msgspec.json.encode(ailment._asdict()).decode()
