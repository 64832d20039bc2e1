"""Drain streams: decide their waiting commands in order, in one append."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

from eventstore.journal.drain_stream import drain_stream
from eventstore.journal.drain_together import run_together
from eventstore.journal.finishing import Drain, DrainResult
from eventstore.journal.lease import keeping_lease
from eventstore.journal.runner import Runner
from eventstore.journal.take import take_ahead, take_many


def drain(
    connection: psycopg.Connection[Any],
    command_ids: Sequence[UUID],
    runner: Runner,
    *,
    ahead: int = 0,
) -> DrainResult:
    """
    Run the due commands of the streams of *command_ids*, in the order of acceptance.

    One stream is drained to its end. Several are taken together, once, and appended
    together. So is one with the streams of up to *ahead* commands that were accepted
    right after it; *ahead* is for one command only. The caller continues with `left`.

    It takes two round trips a take, on a *connection* in autocommit. Commands that
    cannot be decided are given back, with the error. If the database goes away, or the
    runner's time is up, that error is raised: the connection may hold locks of streams
    and must be closed, not pooled; then the caller calls `forget_marks`.
    """
    work = Drain(connection, runner, DrainResult())
    with keeping_lease(connection):
        if len(command_ids) > 1:
            taken = take_many(connection, command_ids, runner)
            run_together(work, taken)
            known = {command.id for one in taken for command in one.commands}
            apart = [one for one in command_ids if one not in known]
            work.drained.left[:0] = apart
        elif ahead:
            run_together(work, take_ahead(connection, command_ids[0], runner, ahead))
        else:
            drain_stream(work, *command_ids)
    return work.drained
