"""The one task for all commands: drain the streams of the commands it names."""

import logging
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from eventstore.connection import driver_connection
from eventstore.journal.drain import Drained, DrainInterrupted, drain
from eventstore.journal.take import give_back
from tasks import publishing
from tasks.app import app
from tasks.bootstrap import Shop, shop

log = logging.getLogger(__name__)


@app.task(name="execute")
def execute(command_ids: list[str]) -> None:
    """Run the commands, and what else is due in their streams."""
    ran = run(shop(), [UUID(command_id) for command_id in command_ids], ran_by="worker")
    for command_id in ran.left:
        publishing.publish(shop(), command_id)
    if ran.has_signalled:
        publishing.publish_catch_up(shop())


@dataclass(slots=True)
class Ran:
    """What was done, and what its caller has to pass on."""

    finished: int = 0
    # The next command of each stream that took so long that others have their turn.
    left: list[UUID] = field(default_factory=list)
    has_signalled: bool = False


def run(shop: Shop, command_ids: Sequence[UUID], *, ran_by: str = "worker") -> Ran:
    """
    Drain the stream of each command.

    Safe to run twice, at once, and for commands that are finished or never existed.
    """
    runner = f"{ran_by}:{socket.gethostname()}:{os.getpid()}"
    ran = Ran()
    for command_id in command_ids:
        started = time.monotonic()
        drained = drain_stream(shop, command_id, runner)
        log.info(
            "drained command_id=%s finished=%d seconds=%.4f ran_by=%s",
            command_id,
            drained.finished,
            time.monotonic() - started,
            runner,
        )
        ran.finished += drained.finished
        ran.has_signalled |= drained.has_signalled
        if drained.next_due is not None:
            ran.left.append(drained.next_due)
    return ran


def drain_stream(shop: Shop, command_id: UUID, runner: str) -> Drained:
    """Drain one stream on a connection that does not outlive an exception."""
    with shop.autocommitting.connect() as connection:
        try:
            return drain(
                driver_connection(connection),
                command_id,
                deciders=shop.deciders,
                runner=runner,
                limits=shop.limits,
            )
        except BaseException as error:
            # It may hold the stream's lock, and the pool would keep it for ever.
            connection.invalidate()
            if isinstance(error, DrainInterrupted):
                put_back(shop, error)
            raise


def put_back(shop: Shop, interrupted: DrainInterrupted) -> None:
    """Clear the marks of commands that no runner died of: the database went away."""
    with shop.autocommitting.connect() as connection:
        give_back(
            driver_connection(connection),
            interrupted.command_ids,
            incident="interrupted",
            detail={"error": type(interrupted.__cause__).__name__},
            must_wait=True,
        )
