"""
How far a webhook has been delivered, as it is stored.

A position, behind which nothing was taken up yet, and of each stream that is being
delivered the position of its first event that is not, each with the id of the event
there. Never a copy of an event.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from eventstore.subscriptions.external_store import ForeignCheckpoint
from tasks.webhooks.registry import STATES, State


class StreamProgress(msgspec.Struct, kw_only=True, omit_defaults=True):
    """
    A stream that is being delivered, up to its event at *position*.

    *event_id* is the id of that event. It was sent *tries* times in vain, over *waited*
    seconds, the last time with *error*; *pause* is what is left until it is sent again,
    in seconds. An operator has *is_skipped* set: then it is not sent again.
    """

    stream: str
    position: int
    event_id: UUID
    tries: int = 0
    waited: float = 0.0
    pause: float = 0.0
    error: str = ""
    since: datetime | None = None
    is_skipped: bool = False


class Progress(NamedTuple):
    """
    The stored progress of one webhook.

    *id* is that of the webhook. *outcomes* counts attempts by how they ended. *turn*
    changes when an operator has changed the place.
    """

    name: str
    id: UUID
    state: State
    turn: int
    position: int
    event_id: UUID | None
    streams: list[StreamProgress]
    outcomes: dict[str, int]

    def is_for(self, other: "StoredProgress") -> bool:
        """Return whether both are of one webhook, and no operator came between."""
        return (self.id, self.turn) == (other.id, other.turn)

    @property
    def cursor(self) -> ForeignCheckpoint:
        return ForeignCheckpoint(self.position, self.event_id)


class StoredProgress(NamedTuple):
    """The progress of one webhook as it is stored, which may not be readable."""

    name: str
    id: UUID
    state: State
    turn: int
    position: int
    event_id: UUID | None
    streams: Any
    outcomes: Any

    def read(self) -> Progress:
        """Return it with its parts. Raises msgspec.ValidationError."""
        return msgspec.convert(tuple(self), Progress)


def find_progress(connection: psycopg.Connection[Any]) -> list[StoredProgress]:
    """Return the progress of all webhooks, by name."""
    rows = connection.execute(
        """
        SELECT name, id, state, turn, position, event_id, streams, outcomes
        FROM public.webhook_progress ORDER BY name
        """
    )
    return [StoredProgress(*row) for row in rows]


def has_active(connection: psycopg.Connection[Any]) -> bool:
    """Return whether there is a webhook to send to."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM public.webhook_progress WHERE state = 'active')"
    ).fetchone()
    return row == (True,)


def count_states(connection: psycopg.Connection[Any]) -> dict[State, int]:
    """Return how many webhooks are in each state."""
    rows = connection.execute(
        "SELECT state, count(*) FROM public.webhook_progress GROUP BY state"
    )
    return {**dict.fromkeys(STATES, 0), **dict(rows.fetchall())}


def find_stopped(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Return the webhooks that were stopped, by name, and why."""
    rows = connection.execute(
        """
        SELECT name, coalesce(stopped_because, '') FROM public.webhook_progress
        WHERE state = 'stopped' ORDER BY name
        """
    )
    return dict(rows.fetchall())


def save_progress(
    connection: psycopg.Connection[Any],
    progress: Progress,
    *,
    last_answer: str | None,
    stopped_because: str | None,
) -> State | None:
    """
    Store the progress of a webhook; return its state, or None if it is not ours.

    Then it was removed, or an operator has changed its place. *last_answer* and
    *stopped_because* are None if there is none: then the webhook is not stopped. What
    is stored for one that was paused meanwhile counts.
    """
    row = connection.execute(
        """
        UPDATE public.webhook_progress SET
            position = %(position)s, event_id = %(event_id)s, streams = %(streams)s,
            outcomes = %(outcomes)s, moved_at = clock_timestamp(),
            last_answer = coalesce(%(answer)s, last_answer),
            answered_at = CASE
                WHEN %(answer)s::text IS NULL THEN answered_at
                ELSE clock_timestamp()
            END,
            state = CASE WHEN %(because)s::text IS NULL THEN state ELSE 'stopped' END,
            state_since = CASE
                WHEN %(because)s::text IS NULL THEN state_since
                ELSE clock_timestamp()
            END,
            stopped_because = %(because)s
        WHERE name = %(name)s AND id = %(id)s AND turn = %(turn)s
        RETURNING state
        """,
        {
            "name": progress.name,
            "id": progress.id,
            "turn": progress.turn,
            "position": progress.position,
            "event_id": progress.event_id,
            "streams": Jsonb(msgspec.to_builtins(progress.streams)),
            "outcomes": Jsonb(progress.outcomes),
            "answer": last_answer,
            "because": stopped_because,
        },
    ).fetchone()
    return None if row is None else row[0]


def stop_unchanged(
    connection: psycopg.Connection[Any],
    progress: Progress | StoredProgress,
    because: str,
) -> None:
    """Stop a webhook at the place that is stored, unless it is not ours any more."""
    connection.execute(
        """
        UPDATE public.webhook_progress
        SET state = 'stopped', state_since = clock_timestamp(), stopped_because = %s
        WHERE name = %s AND id = %s AND turn = %s
        """,
        (because, progress.name, progress.id, progress.turn),
    )
