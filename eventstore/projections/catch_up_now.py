"""Catch up a read model on demand, without processes for it."""

import math
from dataclasses import replace

from eventstore.connection import Connection, begin_on
from eventstore.encryption.keys import MasterKeys
from eventstore.errors import ReadModelOutdated
from eventstore.projections.generations import (
    live_generations,
    make_first_generation,
    shape_of,
)
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.subscriptions.catch_up import CaughtUp, catch_up


def catch_up_now(
    connection: Connection,
    projection: Projection,
    *,
    masters: MasterKeys | None = None,
    seconds: float = math.inf,
) -> CaughtUp:
    """
    Create a read model if there is none, and update its rows to the settled position.

    In autocommit each batch is a transaction. In a transaction of the caller's it is
    part of that, and does not see what that has appended itself: it is not settled.
    *masters* open the personal fields of events.

    Raises ReadModelOutdated if its tables were made from another definition,
    CannotProject if it fails on an event, with all rows before that one written, or
    CheckpointNotInLog. In a transaction of the caller's, catch these to keep the rows.
    """
    driver = begin_on(connection)
    with driver.transaction():
        make_first_generation(driver, projection)
    live = live_generations(driver).get(projection.name)
    if live is None:
        # Another session is filling the first generation.
        return CaughtUp(is_held=True)
    if live.shape != shape_of(projection):
        raise ReadModelOutdated(projection.name)
    subscription = subscription_of(projection, live.number)
    reached = catch_up(driver, replace(subscription, masters=masters), seconds=seconds)
    if reached.error is not None:
        raise reached.error
    return reached
