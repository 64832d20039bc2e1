"""
Two people change one order at the same time, each on what they have read.

`python -m embedded.tour.two_writers ORDER` lets jonas read a paid order to ship it.
Before he appends, mara's command cancels it, by the journal and a worker.
"""

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import psycopg

from domain.orders.commands import CancelOrder, ShipOrder
from eventstore.aggregates.command_handler import (
    DirectLog,
    Outcome,
    cause_of_direct,
    handle_on,
)
from eventstore.aggregates.loading import Streams, load
from eventstore.errors import WrongExpectedVersion
from eventstore.journal.entries import find
from eventstore.log.append import append
from eventstore.personal.keyring import Keyring
from tasks.accept import accept
from tasks.shop.wiring import shop

PAUSE = 0.05


def main(order_id: int) -> None:
    ship = ShipOrder(order_id=order_id, tracking_no="PF48110007EU")
    with shop().lent() as connection:
        try:
            outcome = decide_and_append(
                connection, ship, meanwhile=lambda: let_mara_cancel(order_id)
            )
        except WrongExpectedVersion as conflict:
            print(f"jonas ships it: conflict. {conflict}")
            outcome = decide_and_append(connection, ship)
    print(f"jonas ships it: {describe(outcome)}")


def decide_and_append(
    connection: psycopg.Connection[Any],
    command: ShipOrder,
    *,
    meanwhile: Callable[[], None] = lambda: None,
) -> Outcome:
    """
    Handle jonas's command in the six steps of a worker; *meanwhile* runs after step 2.

    Raises WrongExpectedVersion if another writer was faster.
    """
    deciders = shop().deciders

    def load_aloud(stream_ids: Sequence[str], *rest: Any) -> Streams:
        streams = load(connection, stream_ids, *rest)
        for name, version in streams.versions.items():
            status = streams.states[name].status
            print(f"jonas reads {name}: {status}, at version {version}")
        meanwhile()
        return streams

    log = DirectLog(
        keyring=Keyring(connection, deciders.masters),
        load=load_aloud,
        append=partial(append, connection),
    )
    return handle_on(log, command, deciders, cause_of_direct(None, "jonas"), None)


def let_mara_cancel(order_id: int) -> None:
    """Send mara's command, and wait until a worker has carried it out."""
    command = CancelOrder(order_id=order_id, reason="The customer telephoned")
    accepted = accept(shop(), command, key=f"tour {order_id}", principal="mara")
    with shop().autocommitting.connect() as connection:
        while (entry := find(connection, accepted.command_id)) is not None:
            if entry.status != "accepted":
                break
            time.sleep(PAUSE)
    print(f"mara cancels it, and a worker does so: {entry.status if entry else 'lost'}")


def describe(outcome: Outcome) -> str:
    """Return the outcome in words, with the rule that rejected the command."""
    if outcome.error is None:
        return "done"
    return f"rejected, {outcome.error['rule']}: {outcome.error['message']}"


if __name__ == "__main__":
    main(int(sys.argv[1]))
