"""
The secrets of webhooks, stored wrapped with the master key.

A webhook has one in force, and for a day after a rotation the one before it.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg

from eventstore.encryption.keys import MasterKeys, SubjectKey, WrappedKey, name_of
from tasks.webhooks.signing import new_secret

OVERLAP = timedelta(days=1)
"""So long a former secret signs beside the one in force."""


def keep_new_secret(
    connection: psycopg.Connection[Any], name: str, masters: MasterKeys
) -> bytes:
    """Make a secret of a webhook, store it wrapped, and return it."""
    secret = new_secret()
    wrapped = masters.wrap(SubjectKey(id=uuid4(), secret=secret))
    connection.execute(
        """
        INSERT INTO public.webhook_secrets (id, webhook, master, wrapped)
        VALUES (%s, %s, %s, %s)
        """,
        (wrapped.id, name, wrapped.master, wrapped.wrapped),
    )
    return secret


def rotate_secret(
    connection: psycopg.Connection[Any], name: str, masters: MasterKeys
) -> bytes | None:
    """
    Give a webhook a new secret and return it; None if there is no such webhook.

    The one that was in force signs beside it for a day; an earlier one no more.
    """
    with connection.transaction():
        found = connection.execute(
            "SELECT FROM public.webhooks WHERE name = %s FOR UPDATE", (name,)
        )
        if not found.rowcount:
            return None
        connection.execute(
            """
            DELETE FROM public.webhook_secrets
            WHERE webhook = %s AND valid_until IS NOT NULL
            """,
            (name,),
        )
        connection.execute(
            """
            UPDATE public.webhook_secrets SET valid_until = clock_timestamp() + %s
            WHERE webhook = %s
            """,
            (OVERLAP, name),
        )
        return keep_new_secret(connection, name, masters)


def find_secrets(connection: psycopg.Connection[Any]) -> dict[str, list[WrappedKey]]:
    """Return the secrets that sign now, by webhook, the one in force first."""
    found: dict[str, list[WrappedKey]] = {}
    for name, id_, master, wrapped in connection.execute(
        """
        SELECT webhook, id, master, wrapped FROM public.webhook_secrets
        WHERE coalesce(valid_until > clock_timestamp(), true)
        ORDER BY webhook, valid_until IS NOT NULL
        """
    ):
        stored = WrappedKey(id=id_, master=master, wrapped=wrapped)
        found.setdefault(name, []).append(stored)
    return found


def unwrap_all(masters: MasterKeys, stored: Iterable[WrappedKey]) -> list[bytes]:
    """Return secrets; raises WrongMasterKey where none of *masters* wrapped one."""
    return [masters.unwrap(one).secret for one in stored]


def rewrap_secrets(connection: psycopg.Connection[Any], masters: MasterKeys) -> int:
    """
    Wrap all secrets with the master key in force; return how many were not.

    *connection* is in autocommit. Raises WrongMasterKey as `unwrap_all` does.
    """
    with connection.transaction():
        rows = connection.execute(
            """
            SELECT id, master, wrapped FROM public.webhook_secrets
            WHERE master <> %s FOR UPDATE
            """,
            (name_of(masters.current),),
        ).fetchall()
        for id_, master, wrapped in rows:
            stored = WrappedKey(id=id_, master=master, wrapped=wrapped)
            again = masters.wrap(masters.unwrap(stored))
            connection.execute(
                """
                UPDATE public.webhook_secrets SET master = %s, wrapped = %s
                WHERE id = %s
                """,
                (again.master, again.wrapped, id_),
            )
    return len(rows)
