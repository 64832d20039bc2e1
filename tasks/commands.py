"""The one task for all commands: drain the streams of the commands it names."""

import math
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from celery.exceptions import SoftTimeLimitExceeded

from eventstore.journal.deciding import Finished
from eventstore.journal.drain import Drained, drain
from eventstore.journal.drain_many import drain_ahead, drain_many
from eventstore.journal.take import forget_marks
from tasks.app import SOFT_TIME_LIMIT, app
from tasks.broker import publish
from tasks.shop import permissions
from tasks.shop.logging import logger_of
from tasks.shop.wiring import Shop, shop

log = logger_of(__name__)

SECONDS_TO_FORGET = 5.0
FOR_EVER = ("succeeded", "rejected")
"""How a drain ends a command that nobody can have tried again."""


@app.task(name="execute")
def execute(command_ids: list[str]) -> None:
    """Run the commands, what else is due in their streams, and what waits behind."""
    done, pace = shop().done, shop().pace
    ids = [one for one in map(UUID, command_ids) if one not in done]
    if not ids:
        return
    started = time.monotonic()
    try:
        ran = run(shop(), ids, ran_by="worker", ahead=pace.ahead)
    except Exception:
        pace.note_error()
        raise
    pace.note(time.monotonic() - started)
    for command_id in ran.left:
        publish.publish(shop(), command_id)
    if ran.has_signalled:
        publish.publish_catch_up(shop())


@dataclass(slots=True)
class Ran:
    """What was done, and what its caller has to pass on."""

    finished: int = 0
    # The next command of each stream that took so long that others have their turn.
    left: list[UUID] = field(default_factory=list)
    has_signalled: bool = False


def run(
    shop: Shop, command_ids: Sequence[UUID], *, ran_by: str = "worker", ahead: int = 0
) -> Ran:
    """
    Drain the stream of each command, as long as half of a task's time is not used up.

    With one, up to *ahead* of those that were accepted right after it go along.
    Safe to run twice, at once, and for commands that are finished or never existed.
    """
    runner = f"{ran_by}:{socket.gethostname()}:{os.getpid()}"
    until = time.monotonic() + SOFT_TIME_LIMIT / 2
    ran = Ran()
    if len(command_ids) > 1 or ahead:
        command_ids = run_together(shop, command_ids, runner, ran, ahead)
    for command_id in command_ids:
        started = time.monotonic()
        if started > until:
            ran.left.append(command_id)
            continue
        drained = drain_stream(shop, command_id, runner)
        ran.finished += drained.finished
        ran.has_signalled |= drained.has_signalled
        if drained.next_due is not None:
            ran.left.append(drained.next_due)
    return ran


def run_together(
    shop: Shop, command_ids: Sequence[UUID], runner: str, ran: Ran, ahead: int
) -> list[UUID]:
    """Drain all streams at once; return the commands that are to be run alone."""
    asked = given(shop, runner)
    try:
        with shop.lent() as connection:
            if len(command_ids) > 1:
                done = drain_many(connection, command_ids, **asked)
            else:
                done = drain_ahead(connection, command_ids[0], ahead=ahead, **asked)
    except Exception as error:
        forget_own_marks(shop, runner, command_ids[0], error)
        raise
    ran.finished += done.drained.finished
    ran.has_signalled |= done.drained.has_signalled
    return [*done.apart, *done.left]


def drain_stream(shop: Shop, command_id: UUID, runner: str) -> Drained:
    """
    Drain one stream, on a connection that does not outlive an exception.

    Raises DatabaseAway where that exception could not even be noted.
    """
    try:
        with shop.lent() as connection:
            return drain(connection, command_id, **given(shop, runner))
    except Exception as error:
        forget_own_marks(shop, runner, command_id, error)
        raise


def given(shop: Shop, runner: str) -> Any:
    """Return what each drain is given."""
    return {
        "deciders": shop.deciders,
        "runner": runner,
        "limits": replace(
            shop.limits,
            interruptions=(SoftTimeLimitExceeded,),
            keeps_snapshots=partial(keeps_snapshots, shop),
        ),
        "report": partial(say, shop, runner),
        "may": permissions.may,
    }


def say(shop: Shop, runner: str, finished: Finished) -> None:
    """Log one command: names, numbers and ids, and nothing that was sent."""
    if finished.status in FOR_EVER:
        shop.done.add(finished.command_id)
    facts = finished._asdict()
    facts["command_id"] = str(finished.command_id)
    facts["seconds"] = round(finished.seconds, 4)
    log.info("finished", **facts, ran_by=runner)


def keeps_snapshots(shop: Shop, stream_id: str) -> bool:
    """Return whether the shop wants snapshots of such streams at all."""
    return shop.settings.snapshot_policy.of(stream_id) < math.inf


class DatabaseAway(Exception):
    """PostgreSQL did not answer for seconds."""


def forget_own_marks(
    shop: Shop, runner: str, command_id: UUID, error: Exception
) -> None:
    """
    Take our marks back, since a mark that is found means that its runner died.

    The database may be away for a while: try for some seconds. If it is away for
    longer it has most likely been started anew, and older marks do not count.
    """
    until = time.monotonic() + SECONDS_TO_FORGET
    while True:
        try:
            with shop.lent() as connection:
                detail = {"error": type(error).__name__}
                forget_marks(connection, runner, command_id, detail)
                return
        except (sa.exc.OperationalError, psycopg.OperationalError) as away:
            if time.monotonic() > until:
                raise DatabaseAway from away
            time.sleep(0.2)
