"""Find the demo that a shop has already: it says in its events which one it is."""

import re
from datetime import date
from typing import Any

import psycopg

from tasks.shop.demo.history.planning import FIRST_SEED, DemoWanted
from tasks.shop.history_import.errors import ImportRefused

SOURCE = re.compile(
    r"a demo shop of (\d+) orders to (\d{4}-\d\d-\d\d)(?:, seed (\d+))?"
)
BEFORE = "a demo of "
"""How the source of the demo began as long as it had no price list."""


def find_demo(connection: psycopg.Connection[Any]) -> DemoWanted | None:
    """
    Return the demo that this log begins with; None if the log is empty.

    Raises ImportRefused for a log that begins with something else.
    """
    row = connection.execute(
        "SELECT metadata ->> 'source' FROM public.events ORDER BY id LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    source = row[0] or ""
    if source.startswith(BEFORE):
        raise ImportRefused(
            "this shop has the demo of a version before, and keeps it: start another"
            " for today's by STATE_DIR=.demo ./recount up"
        )
    found = SOURCE.fullmatch(source)
    if found is None:
        raise ImportRefused(
            "this shop has a history of its own, and the demo is for an empty one:"
            " start another by STATE_DIR=.demo ./recount up, or add live orders to this"
            " one by ./recount demo --live"
        )
    orders, last_day, seed = found.groups()
    return DemoWanted(
        orders=int(orders),
        seed=int(seed or FIRST_SEED),
        last_day=date.fromisoformat(last_day),
    )


def choose_demo(
    existing: DemoWanted | None,
    *,
    orders: int | None,
    seed: int | None,
    yesterday: date,
) -> DemoWanted:
    """
    Return the demo to make, or to go on with: one that was begun is not moved.

    Without *orders* and *seed* it is the existing one, or the default one, up to
    *yesterday*. Raises ImportRefused if another one than the existing is asked for.
    """
    if existing is None:
        default = DemoWanted(last_day=yesterday)
        return DemoWanted(
            orders=default.orders if orders is None else orders,
            seed=default.seed if seed is None else seed,
            last_day=yesterday,
        )
    if orders in (None, existing.orders) and seed in (None, existing.seed):
        return existing
    raise ImportRefused(
        f"this shop has a demo of {existing.orders:,} orders with seed"
        f" {existing.seed} already: run ./recount demo without options, or start an"
        " empty shop for another"
    )
