"""Counting the whole journal: how many commands became what, and what it took."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from eventstore.journal.schema import commands


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """
    How many commands there are, by status and by who ran the finished ones.

    *accepted* counts also those that were pruned, and starts anew when PostgreSQL
    loses its statistics.
    """

    accepted: int
    by_status: Mapping[str, int]
    by_runner: Mapping[str, int]
    attempts: int
    conflicts: int

    def share_of(self, runner: str) -> float:
        """Return the share that *runner* ran, of all that somebody ran."""
        ran = sum(self.by_runner.values())
        return self.by_runner.get(runner, 0) / ran if ran else 0.0


def tally(connection: sa.Connection) -> Tally:
    """Go once through the journal; that is a fraction of a second for a million."""
    runner = sa.func.split_part(commands.c.ran_by, ":", 1)
    rows = connection.execute(
        sa.select(
            commands.c.status,
            runner,
            sa.func.count(),
            sa.func.sum(commands.c.attempts),
            sa.func.sum(commands.c.conflicts),
        ).group_by(commands.c.status, runner)
    ).all()
    by_status: dict[str, int] = {}
    by_runner: dict[str, int] = {}
    for status, ran_by, count, _, _ in rows:
        by_status[status] = by_status.get(status, 0) + count
        if status != "accepted" and ran_by:
            by_runner[ran_by] = by_runner.get(ran_by, 0) + count
    accepted = connection.scalar(
        sa.text("SELECT pg_stat_get_tuples_inserted('public.commands'::regclass)")
    )
    return Tally(
        # Statistics come late, by up to a second.
        accepted=max(accepted or 0, sum(by_status.values())),
        by_status=by_status,
        by_runner=by_runner,
        attempts=sum(row[3] for row in rows),
        conflicts=sum(row[4] for row in rows),
    )
