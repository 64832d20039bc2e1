"""The one task for all commands: drain the streams of the commands it names."""

import math
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

import psycopg
import sqlalchemy as sa
from celery.exceptions import SoftTimeLimitExceeded

from eventstore.journal.drain import drain
from eventstore.journal.finishing import DrainResult
from eventstore.journal.runner import FinishedCommand, Runner
from eventstore.journal.take import forget_marks
from tasks import catch_up
from tasks.app import SOFT_TIME_LIMIT, app
from tasks.broker import publish
from tasks.shop import permissions
from tasks.shop.logging import logger_of
from tasks.shop.wiring import Shop, shop

log = logger_of(__name__)

SECONDS_TO_FORGET = 5.0
FOR_EVER = ("succeeded", "rejected")
"""The statuses given by a drain after which a command cannot be retried."""


@app.task(name="execute")
def execute(command_ids: list[str]) -> None:
    """Run the commands, others due in their streams, and some accepted after them."""
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
        read_on(shop())


def read_on(shop: Shop) -> None:
    """
    Catch up on what was just appended: one pass here, and a task for the rest.

    A message to another process would take longer than the pass. Errors of the pass
    do not concern the command, which is finished.
    """
    if not shop.settings.catch_up_signals:
        return
    try:
        if catch_up.run(shop, is_brief=True):
            return
    except SoftTimeLimitExceeded:
        publish.publish_catch_up(shop)
        raise
    except Exception:
        log.exception("catch-up failed")
    publish.publish_catch_up(shop)


def run(
    shop: Shop, command_ids: Sequence[UUID], *, ran_by: str = "worker", ahead: int = 0
) -> DrainResult:
    """
    Drain the stream of each command until half of a task's time is used up.

    With a single command, up to *ahead* commands accepted right after it run too.
    Returns what was done, and the commands left for another task. Safe to run twice or
    concurrently, and for commands that are finished or do not exist.
    """
    runner = runner_of(shop, ran_by)
    until = time.monotonic() + SOFT_TIME_LIMIT / 2
    done = DrainResult()
    if len(command_ids) > 1 or ahead:
        together = drain_on_a_lent(shop, command_ids, runner, ahead)
        command_ids, together.left = together.left, []
        add(done, together)
    for command_id in command_ids:
        if time.monotonic() > until:
            done.left.append(command_id)
        else:
            add(done, drain_on_a_lent(shop, [command_id], runner))
    return done


def add(done: DrainResult, more: DrainResult) -> None:
    done.finished += more.finished
    done.left += more.left
    done.has_signalled |= more.has_signalled


def drain_on_a_lent(
    shop: Shop, command_ids: Sequence[UUID], runner: Runner, ahead: int = 0
) -> DrainResult:
    """
    Drain on a pooled connection, which is closed after an exception.

    Raises DatabaseAway if the runner's marks cannot be taken back after that.
    """
    try:
        with shop.lent() as connection:
            return drain(connection, command_ids, runner, ahead=ahead)
    except Exception as error:
        forget_own_marks(shop, runner.name, command_ids[0], error)
        raise


def runner_of(shop: Shop, ran_by: str) -> Runner:
    """Return the runner of the shop's commands in this process."""
    name = f"{ran_by}:{socket.gethostname()}:{os.getpid()}"
    return Runner(
        deciders=shop.deciders,
        name=name,
        limits=replace(
            shop.limits,
            max_conflict_retries=shop.settings.conflict_retries,
            interruptions=(SoftTimeLimitExceeded,),
            keeps_snapshots=partial(keeps_snapshots, shop),
        ),
        may=permissions.may,
        report=partial(log_finished, shop, name),
    )


def log_finished(shop: Shop, runner: str, finished: FinishedCommand) -> None:
    """Log one command: names, numbers and ids, and none of its data."""
    if finished.status in FOR_EVER:
        shop.done.add(finished.command_id)
    facts = finished._asdict()
    facts["command_id"] = str(finished.command_id)
    facts["seconds"] = round(finished.seconds, 4)
    log.info("finished", **facts, ran_by=runner)


def keeps_snapshots(shop: Shop, stream_id: str) -> bool:
    """Return whether streams of this category have snapshots."""
    return shop.settings.snapshot_policy.of(stream_id) < math.inf


class DatabaseAway(Exception):
    """PostgreSQL did not answer for seconds."""


def forget_own_marks(
    shop: Shop, runner: str, command_id: UUID, error: Exception
) -> None:
    """
    Take our marks back, since a mark that is left means that its runner died.

    Retries for some seconds while the database is away. If it is away for longer, it
    was most likely restarted, and older marks do not count.
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
