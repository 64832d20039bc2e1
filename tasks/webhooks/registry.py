"""The webhooks of a shop: added, paused, resumed and removed by operators."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from eventstore.encryption.keys import MasterKeys
from eventstore.subscriptions.external_store import ForeignCheckpoint
from tasks.shop.event_feed import EventFilter
from tasks.webhooks.stored_secrets import keep_new_secret

NAME = re.compile(r"[a-z][a-z0-9._-]{0,59}")
MAX_WEBHOOKS = 50
"""Webhooks of a shop: each may have eight requests under way, in a thread each."""
State = Literal["active", "paused", "stopped"]
STATES: Sequence[State] = ("active", "paused", "stopped")


class Webhook(NamedTuple):
    """
    What an operator chose; *types* and *category* are None for all.

    *id* is drawn when it is added: another one may have its name later.
    """

    name: str
    id: UUID
    url: str
    types: list[str] | None
    category: str | None
    is_personal: bool
    created_at: datetime

    @property
    def wanted(self) -> EventFilter:
        types = None if self.types is None else frozenset(self.types)
        return EventFilter(types, self.category)


class WebhookRefused(Exception):
    """A webhook that cannot be added or changed like that; the message says why."""


def find_webhooks(connection: psycopg.Connection[Any]) -> list[Webhook]:
    """Return all webhooks, by name."""
    rows = connection.execute(
        """
        SELECT name, id, url, types, category, is_personal, created_at
        FROM public.webhooks ORDER BY name
        """
    )
    return [Webhook(*row) for row in rows]


def add_webhook(
    connection: psycopg.Connection[Any],
    name: str,
    url: str,
    *,
    wanted: EventFilter,
    is_personal: bool,
    after: ForeignCheckpoint,
    masters: MasterKeys,
) -> bytes:
    """
    Add a webhook that begins behind *after*, and return its secret.

    *url* was parsed before, and *masters* wrap the secret. *connection* is in
    autocommit. Raises WebhookRefused for a name that is taken or unusable, and where
    there are as many as there may be.
    """
    if NAME.fullmatch(name) is None:
        raise WebhookRefused(
            "a name has lower-case letters, digits and .-_, 60 at most"
        )
    with connection.transaction():
        # Else two that are added at once both count one too few.
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtext('recount'), hashtext('add webhook'))"
        )
        ((count,),) = connection.execute("SELECT count(*) FROM public.webhooks")
        if count >= MAX_WEBHOOKS:
            raise WebhookRefused(
                f"there are {count} webhooks, and there may be no more"
            )
        types = None if wanted.types is None else sorted(wanted.types)
        id_ = uuid4()
        added = connection.execute(
            """
            INSERT INTO public.webhooks (name, id, url, types, category, is_personal)
            VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (name) DO NOTHING
            """,
            (name, id_, url, types, wanted.category, is_personal),
        )
        if not added.rowcount:
            raise WebhookRefused(f"there is a webhook {name} already")
        connection.execute(
            """
            INSERT INTO public.webhook_progress (name, id, position, event_id)
            VALUES (%s, %s, %s, %s)
            """,
            (name, id_, after.position, after.event_id),
        )
        return keep_new_secret(connection, name, masters)


def remove_webhook(connection: psycopg.Connection[Any], name: str) -> bool:
    """Remove a webhook and its secrets; return whether there was one."""
    found = connection.execute("DELETE FROM public.webhooks WHERE name = %s", (name,))
    return bool(found.rowcount)


def pause_webhook(connection: psycopg.Connection[Any], name: str) -> bool:
    """
    Send nothing more; return whether there is such a webhook.

    Requests that are under way still end, and count.
    """
    found = connection.execute(
        """
        UPDATE public.webhook_progress
        SET state = 'paused', state_since = clock_timestamp(), stopped_because = NULL
        WHERE name = %s
        """,
        (name,),
    )
    return bool(found.rowcount)


def resume_webhook(
    connection: psycopg.Connection[Any],
    name: str,
    *,
    after: ForeignCheckpoint | None = None,
) -> bool:
    """
    Send again from where it stopped, or behind *after*; return whether there is one.

    What failed is tried at once, and for another hour.
    """
    with connection.transaction():
        row = connection.execute(
            "SELECT streams FROM public.webhook_progress WHERE name = %s FOR UPDATE",
            (name,),
        ).fetchone()
        if row is None:
            return False
        streams = [{**one, "tries": 0, "waited": 0.0, "pause": 0.0} for one in row[0]]
        connection.execute(
            """
            UPDATE public.webhook_progress
            SET state = 'active', state_since = clock_timestamp(), turn = turn + 1,
                stopped_because = NULL, streams = %s
            WHERE name = %s
            """,
            (Jsonb(streams), name),
        )
        if after is not None:
            connection.execute(
                """
                UPDATE public.webhook_progress
                SET position = %s, event_id = %s, streams = '[]' WHERE name = %s
                """,
                (after.position, after.event_id, name),
            )
    return True


def skip_failed(
    connection: psycopg.Connection[Any], name: str, streams: Collection[str]
) -> list[tuple[str, int]]:
    """
    Pass over the event of each of *streams* that failed; return stream and position.

    Later events of these streams are sent. Call it before `resume_webhook`, in one
    transaction. Raises WebhookRefused, and changes nothing, if one of them has no event
    that failed.
    """
    with connection.transaction():
        row = connection.execute(
            "SELECT streams FROM public.webhook_progress WHERE name = %s FOR UPDATE",
            (name,),
        ).fetchone()
        if row is None:
            return []
        stored = row[0]
        failed = [one for one in stored if one.get("error")]
        skipped = [one for one in failed if one["stream"] in streams]
        unknown = sorted(set(streams) - {one["stream"] for one in skipped})
        if unknown:
            known = ", ".join(one["stream"] for one in failed) or "no stream"
            raise WebhookRefused(
                f"no event of {unknown[0]} has failed; one has of {known}"
            )
        for one in skipped:
            one.update(is_skipped=True, error="")
        connection.execute(
            """
            UPDATE public.webhook_progress SET streams = %s, turn = turn + 1
            WHERE name = %s
            """,
            (Jsonb(stored), name),
        )
    return [(one["stream"], one["position"]) for one in skipped]


def find_undelivered(
    connection: psycopg.Connection[Any], name: str, up_to: int
) -> list[tuple[str, int]]:
    """Return stream and position of the open events up to a position, in order."""
    row = connection.execute(
        "SELECT streams FROM public.webhook_progress WHERE name = %s", (name,)
    ).fetchone()
    found = [] if row is None else [(one["stream"], one["position"]) for one in row[0]]
    return sorted((one for one in found if one[1] <= up_to), key=lambda one: one[1])
