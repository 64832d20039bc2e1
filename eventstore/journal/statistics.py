"""Statistics of the whole journal: commands by status, and their durations."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from eventstore.journal.entries import IS_SCHEDULED, SCHEDULED
from eventstore.journal.schema import commands, prunings

PRUNED = "pruned"
"""The status under which pruned commands are counted; no row has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """
    The number of commands, by status, and of finished ones by runner.

    *accepted* counts all commands ever, including pruned ones. In *by_status* an
    accepted one before its time is `scheduled`.
    """

    accepted: int
    by_status: Mapping[str, int]
    by_runner: Mapping[str, int]
    attempts: int
    conflicts: int

    def share_of(self, runner: str) -> float:
        """Return the share of *runner* in all commands that were run."""
        ran = sum(self.by_runner.values())
        return self.by_runner.get(runner, 0) / ran if ran else 0.0


def tally(connection: sa.Connection) -> Tally:
    """Count the commands by one scan; a million take a fraction of a second."""
    runner = sa.func.split_part(commands.c.ran_by, ":", 1)
    status_shown = sa.case(
        (
            IS_SCHEDULED,
            SCHEDULED,
        ),
        else_=commands.c.status,
    )
    kept = sa.select(
        status_shown,
        runner,
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(commands.c.attempts), 0),
        sa.func.coalesce(sa.func.sum(commands.c.conflicts), 0),
    ).group_by(sa.text("1"), runner)
    pruned = sa.select(
        sa.literal(PRUNED),
        sa.null(),
        sa.func.coalesce(sa.func.sum(prunings.c.count), 0),
        sa.literal(0),
        sa.literal(0),
    )
    # One statement: between two, pruned commands would be counted twice, or not at all.
    rows = connection.execute(sa.union_all(kept, pruned)).all()
    by_status: dict[str, int] = {}
    by_runner: dict[str, int] = {}
    for status, ran_by, count, _, _ in rows:
        by_status[status] = by_status.get(status, 0) + int(count)
        if status not in ("accepted", SCHEDULED) and ran_by:
            by_runner[ran_by] = by_runner.get(ran_by, 0) + int(count)
    accepted = sum(by_status.values())
    del by_status[PRUNED]
    return Tally(
        accepted=accepted,
        by_status=by_status,
        by_runner=by_runner,
        attempts=sum(int(row[3]) for row in rows),
        conflicts=sum(int(row[4]) for row in rows),
    )
