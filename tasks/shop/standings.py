"""Where all readers of the shop's log stand, with what only the code knows of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg

from eventstore.projections.generations import live_generations, shape_of
from eventstore.projections.projection import Projection
from eventstore.projections.tables import name_of
from eventstore.subscriptions.lag import SubscriptionLag, find_standings
from eventstore.subscriptions.standstill import IDLE, OUTDATED, Standstill


def find_all_standings(
    connection: psycopg.Connection[Any], projections: Sequence[Projection]
) -> list[SubscriptionLag]:
    """
    Return where all readers stand, by name.

    Nobody reads for a read model of *projections* that was made from another
    definition, so that is the reason why it stands still, unless it has a worse one.
    """
    live = live_generations(connection)
    unfit = {
        name_of(projection.name, live[projection.name].number)
        for projection in projections
        if projection.name in live
        and live[projection.name].shape != shape_of(projection)
    }
    return [
        outdated(standing) if standing.name in unfit and standing.lag else standing
        for standing in find_standings(connection)
    ]


def outdated(standing: SubscriptionLag) -> SubscriptionLag:
    still = standing.standstill
    if still is not None and still.because != IDLE:
        return standing
    since = None if still is None else still.since
    return replace(standing, standstill=Standstill(since, OUTDATED))
