"""Which process managers and read models read the log at this moment."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import psycopg

from eventstore.projections.generations import live_generations, shape_of
from eventstore.projections.projection import Projection
from eventstore.projections.tables import name_of
from eventstore.subscriptions.process_manager import ProcessManagerRun
from eventstore.subscriptions.subscription import Subscription


class LiveReaders(NamedTuple):
    """
    The subscriptions that read the log: process managers, then live read models.

    *outdated* has the names of read models made from another definition, by those of
    their subscriptions: their tables do not fit, and they are left out. *missing* are
    the names of read models without a live generation: it has to be made, or is being
    filled for the first time.
    """

    subscriptions: list[Subscription]
    outdated: dict[str, str]
    missing: list[str]


def find_live_readers(
    connection: psycopg.Connection,
    projections: Sequence[Projection],
    process_managers: Sequence[ProcessManagerRun],
    subscribe: Callable[[Projection, int], Subscription],
) -> LiveReaders:
    """
    Return what reads the log now, of *projections* and *process_managers*.

    *subscribe* returns the subscription of a generation, by its number.
    """
    live = live_generations(connection)
    # Process managers first: commands that they send are waited for.
    found = [acting.subscription for acting in process_managers]
    outdated = {}
    missing = []
    for projection in projections:
        generation = live.get(projection.name)
        if generation is None:
            missing.append(projection.name)
        elif generation.shape == shape_of(projection):
            found.append(subscribe(projection, generation.number))
        else:
            outdated[name_of(projection.name, generation.number)] = projection.name
    return LiveReaders(found, outdated, missing)
