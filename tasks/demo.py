"""The task that fills an empty shop with the demo, for who has pressed the button."""

from datetime import datetime, timedelta
from typing import NoReturn

from tasks.app import app
from tasks.broker import publish
from tasks.shop.claims_backfill import describe_unclaimed, fill
from tasks.shop.demo.history.existing import choose_demo, find_demo
from tasks.shop.demo.history.planning import plan_demo
from tasks.shop.history_import.appending import append_missing
from tasks.shop.history_import.errors import ImportRefused
from tasks.shop.history_import.number_sequences import move_numbers
from tasks.shop.history_import.preconditions import alone, examine_log, examine_shop
from tasks.shop.logging import logger_of
from tasks.shop.wiring import Shop, shop

TIME_LIMIT = 300
"""Seconds; it takes some ten."""

log = logger_of(__name__)


@app.task(name="fill_with_demo", soft_time_limit=TIME_LIMIT, time_limit=TIME_LIMIT + 10)
def fill_with_demo() -> None:
    """Fill an empty shop with the demo, or complete one that was begun."""
    run(shop())


def run(shop: Shop) -> None:
    """
    Import the events of the demo that are missing, as `recount demo` does.

    Where it is refused, nothing is done but a line in the log: the page that asked for
    it says why, since it looks at the same log.
    """
    try:
        appended = import_demo(shop)
    except ImportRefused as error:
        log.warning("no demo was imported", why=str(error))
        return
    for unclaimed in fill(shop):
        log.warning(describe_unclaimed(unclaimed))
    log.info("imported the demo", appended=appended)
    publish.publish_catch_up(shop)


def import_demo(shop: Shop) -> int:
    """Return how many events were appended. Raises ImportRefused."""
    currency, zone = shop.settings.currency, shop.settings.timezone
    yesterday = datetime.now(zone).date() - timedelta(days=1)
    examine_shop(shop, currency)
    with shop.lent() as connection, alone(connection, tell=refuse):
        wanted = choose_demo(
            find_demo(connection), orders=None, seed=None, yesterday=yesterday
        )
        plan = plan_demo(wanted, currency=currency, zone=zone)
        compared = examine_log(connection, plan, currency, shop.deciders)
        missing = compared.missing(plan)
        if missing:
            move_numbers(connection, plan, compared.new_streams(plan))
        return sum(append_missing(connection, plan, missing, shop.deciders))


def refuse(reason: str) -> NoReturn:
    """Do not wait for another import: it is the one that was asked for, too."""
    raise ImportRefused(reason)
