"""The lag of all subscriptions, for operators."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from eventstore.log.read import settled as find_settled
from eventstore.subscriptions.standstill import (
    COLUMNS,
    MISSING,
    SELDOM,
    Place,
    Standstill,
    explain,
)

NOT_LIVE = """
    s.name ~ '^[a-z][a-z0-9_]*_g[0-9]+(_p[0-9]+)?$' AND NOT EXISTS (
        SELECT FROM public.generations AS g
        WHERE s.name = g.read_model || '_g' || g.live
    )
"""
"""Whether it belongs to a generation that is not read: a kept or an unfinished one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionLag:
    """
    Where a subscription stands: at the position *checkpoint*.

    *name* is its name, *lag* the number of positions that it is behind what is settled.
    *seconds* is the age of the oldest settled event that it has not read: 0 if it has
    read all, None if the age is unknown or if nobody reads these rows.
    *stopped_at_position* is the position of the event that it could not handle; *error*
    has the fields `kind` and `error`, which say why. *standstill* says whether it
    stands still, also where nobody could note an error.
    """

    name: str
    checkpoint: int
    lag: int
    seconds: float | None = field(default=None, compare=False)
    stopped_at_position: int | None
    error: dict[str, Any] | None
    standstill: Standstill | None = field(default=None, compare=False)

    @property
    def is_stopped(self) -> bool:
        """Whether an error was noted: to read once more ends as the last time did."""
        return self.stopped_at_position is not None or self.error is not None


def find_misplaced(connection: psycopg.Connection[Any]) -> list[tuple[str, int]]:
    """Return the subscriptions whose checkpoints are not in the log, with these."""
    return connection.execute(
        f"""
        SELECT s.name, s.checkpoint FROM public.subscriptions AS s
        WHERE NOT ({NOT_LIVE})
            AND public.checkpoint_fault(s.checkpoint, s.event_id) IS NOT NULL
        UNION
        SELECT p.name, p.acted_up_to FROM public.process_managers AS p
        WHERE public.checkpoint_fault(p.acted_up_to, p.event_id) IS NOT NULL
        ORDER BY 1, 2
        """
    ).fetchall()


def find_standings(
    connection: psycopg.Connection[Any], names: Collection[str] | None = None
) -> list[SubscriptionLag]:
    """
    Return where the subscriptions called *names* stand, or all, by name.

    One whose checkpoint was taken away is among them: it hears of nothing.
    """
    settled = find_settled(connection)
    asked = None if names is None else list(names)
    found = []
    for name, is_read, *columns in connection.execute(
        f"""
        SELECT s.name, NOT ({NOT_LIVE}), {COLUMNS}
        FROM public.subscriptions AS s
        WHERE %(names)s::text[] IS NULL OR s.name = ANY (%(names)s)
        """,
        {"names": asked},
    ).fetchall():
        place = Place(*columns)
        standstill = place.standstill(SELDOM.get(name)) if is_read else None
        found.append(
            SubscriptionLag(
                name=name,
                checkpoint=place.checkpoint,
                lag=max(settled - place.checkpoint, 0),
                seconds=seconds_of(place, settled) if is_read else None,
                stopped_at_position=place.stopped_at,
                error=None if place.error is None else dict(place.error),
                standstill=explain(connection, place, standstill),
            )
        )
    for name, reached in find_missing(connection, asked):
        found.append(
            SubscriptionLag(
                name=name,
                checkpoint=reached,
                lag=max(settled - reached, 0),
                stopped_at_position=None,
                error=None,
                standstill=Standstill(None, MISSING),
            )
        )
    return sorted(found, key=lambda standing: standing.name)


def seconds_of(place: Place, settled: int) -> float | None:
    """Return the age of the oldest unread event in seconds; one held back is none."""
    return 0.0 if settled <= place.checkpoint else place.seconds_behind


def find_missing(
    connection: psycopg.Connection[Any], names: Sequence[str] | None
) -> list[tuple[str, int]]:
    """
    Return the readers called *names*, or all, whose checkpoints were taken away.

    With the position that a process manager has acted on. It is unknown for the live
    generation of a read model: 0.
    """
    return connection.execute(
        """
        SELECT r.name, r.reached FROM (
            SELECT p.name, p.acted_up_to FROM public.process_managers AS p
            UNION
            SELECT g.read_model || '_g' || g.live, 0 FROM public.generations AS g
        ) AS r (name, reached)
        WHERE (%(names)s::text[] IS NULL OR r.name = ANY (%(names)s))
            AND NOT EXISTS (SELECT FROM public.subscriptions AS s WHERE s.name = r.name)
        """,
        {"names": names},
    ).fetchall()
