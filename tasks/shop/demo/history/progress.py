"""How far the demo of a shop is, by its log: for who wants one, or waits for it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from tasks.shop.demo.history.existing import choose_demo, find_demo
from tasks.shop.demo.history.planning import DEFAULT_ORDERS, DemoWanted, plan_demo
from tasks.shop.history_import.preconditions import is_at_work
from tasks.shop.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoProgress:
    """
    So many *events* of *planned* are in the log; None are planned until it begins.

    *is_at_work* says that an import is at work, *last* the position of the last event.
    """

    events: int = 0
    planned: int | None = None
    last: int = 0
    is_at_work: bool

    @property
    def is_complete(self) -> bool:
        return self.events == self.planned


def find_progress(
    connection: psycopg.Connection[Any], settings: Settings
) -> DemoProgress:
    """
    Return how far the demo of the usual size is.

    Raises ImportRefused for a log that begins with something else.
    """
    # Before the events: what is at work no more has appended all that it will.
    busy = is_at_work(connection)
    existing = find_demo(connection)
    if existing is None:
        return DemoProgress(is_at_work=busy)
    # Refuses one of another size, which would take long to plan for a page.
    choose_demo(existing, orders=DEFAULT_ORDERS, seed=None, yesterday=existing.last_day)
    planned = count_planned(existing, settings.currency, settings.timezone)
    row = connection.execute(
        """
        SELECT count(*), coalesce(max(id), 0) FROM (
            SELECT id FROM public.events WHERE metadata ->> 'source' = %s
            ORDER BY id LIMIT %s
        ) AS imported
        """,
        (existing.source, planned),
    ).fetchone()
    assert row is not None
    events, last = row
    return DemoProgress(events=events, planned=planned, last=last, is_at_work=busy)


@lru_cache(maxsize=1)
def count_planned(wanted: DemoWanted, currency: str, zone: ZoneInfo) -> int:
    """Return how many events a demo has."""
    return len(plan_demo(wanted, currency=currency, zone=zone).events)
