"""Rebuilding read models: one by name, or those whose definition has changed."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg

from eventstore.projections.generations import live_generations, shape_of
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Projection
from eventstore.rebuilding.course import Report, Show
from eventstore.rebuilding.one_row import RecomputedRow, recompute_row
from eventstore.rebuilding.rebuild import rebuild as fill_and_swap
from eventstore.rebuilding.result import Rebuilt
from eventstore.rebuilding.rollback import RolledBack, roll_back
from tasks.shop.connections import connect
from tasks.shop.wiring import Shop


def rebuild(
    shop: Shop,
    projection: Projection,
    show: Show = lambda _: None,
    *,
    say: Callable[[str], None] = lambda _: None,
    report: Report = lambda _: None,
    parker: Parker | None = None,
    processes: int = 1,
    accept_differences: int | None = 0,
    is_dry_run: bool = False,
) -> Rebuilt:
    """
    Rebuild one read model while the shop runs. Raises RebuildFailed.

    The parameters are those of the engine's `rebuild`. With a *parker* it goes on where
    an event cannot be projected, and parks its stream.
    """
    with shop.lent() as connection:
        return fill_and_swap(
            connection,
            projection,
            show=show,
            say=say,
            report=report,
            masters=shop.deciders.masters,
            parker=parker,
            connect=lambda: open_other(shop),
            processes=processes,
            accept_differences=accept_differences,
            is_dry_run=is_dry_run,
        )


def open_other(
    shop: Shop,
) -> AbstractContextManager[psycopg.Connection[Any]]:
    """Open a session beside those of the pool, which a forked process must not use."""
    return connect(shop.settings.database_url, shop.settings.role)


def put_back(
    shop: Shop, projection: Projection, parker: Parker | None = None
) -> RolledBack:
    """Put the rows from before the last rebuild back. Raises RebuildFailed."""
    masters = shop.deciders.masters
    with shop.lent() as connection:
        return roll_back(connection, projection, masters=masters, parker=parker)


def mend_row(shop: Shop, projection: Projection, key: str) -> RecomputedRow:
    """Make one row once more from its streams. Raises as the engine does."""
    with shop.lent() as connection:
        return recompute_row(connection, projection, key, masters=shop.deciders.masters)


def find_unfit(shop: Shop) -> Sequence[Projection]:
    """Return the read models without tables, or with those of another definition."""
    with shop.lent() as connection:
        live = live_generations(connection)
    return [
        projection
        for projection in shop.projections
        if projection.name not in live
        or live[projection.name].shape != shape_of(projection)
    ]
