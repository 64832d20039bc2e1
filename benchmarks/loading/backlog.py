"""What the shop has not done yet, as its tables tell it."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

import psycopg

QUERY = """
SELECT
    (SELECT count(*) FROM public.commands
     -- What is scheduled for later is not late: an unpaid order is cancelled in weeks.
     WHERE status = 'accepted' AND (not_before IS NULL OR turn IS NOT NULL)),
    (SELECT public.settled() - min(s.checkpoint)
     FROM public.generations AS g
     JOIN public.subscriptions AS s ON s.name = g.read_model || '_g' || g.live)
"""


class Backlog(NamedTuple):
    """Commands that wait, and how far the last read model is behind the log."""

    seconds: float
    waiting: int
    lag: int


def look(connection: psycopg.Connection[tuple[int, int]], seconds: float) -> Backlog:
    """Return the backlog now, *seconds* after the beginning."""
    row = connection.execute(QUERY).fetchone()
    assert row is not None
    return Backlog(seconds, row[0], max(row[1] or 0, 0))


def grows(looks: Sequence[Backlog], rate: float) -> bool:
    """
    Return whether more is left over in the last third than in the first.

    By more than a second's worth of commands: a short pause of the machine is none.
    """
    third = max(len(looks) // 3, 1)

    def middle(part: Sequence[Backlog]) -> float:
        return statistics.median(max(look.waiting, look.lag) for look in part)

    return middle(looks[-third:]) > middle(looks[:third]) + rate
