"""Keys for data that a rewrite encrypts: all of a shop in one transaction."""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from eventstore.personal.keyring import Keyring, NewKey


def keep_new_keys(connection: psycopg.Connection[Any], keyring: Keyring) -> None:
    """Store the keys that were made for encrypted data."""
    keep_all(connection, keyring.made)
    keyring.note_stored()


def keep_all(connection: psycopg.Connection[Any], keys: Sequence[NewKey]) -> None:
    """
    Store keys as the function `keep_keys` does, without a lock for each subject.

    A transaction can have only some ten thousand locks. The caller locks the vault
    instead, so that no subject is forgotten meanwhile. For a forgotten subject, the key
    is stored as destroyed.
    """
    connection.execute(
        """
        INSERT INTO vault.keys (id, subject, command_id, master, wrapped, destroyed_at)
        SELECT
            a.id, a.subject,
            CASE WHEN f.is_forgotten THEN coalesce(a.command_id, a.id)
                ELSE a.command_id END,
            CASE WHEN NOT f.is_forgotten THEN a.master END,
            CASE WHEN NOT f.is_forgotten THEN decode(a.wrapped, 'hex') END,
            CASE WHEN f.is_forgotten THEN clock_timestamp() END
        FROM jsonb_to_recordset(%s::text::jsonb) AS a (
            id uuid, subject varchar, command_id uuid, master varchar, wrapped text
        )
        CROSS JOIN LATERAL (
            SELECT EXISTS (
                SELECT FROM vault.keys AS k
                WHERE k.subject = a.subject AND k.destroyed_at IS NOT NULL
            ) AS is_forgotten
        ) AS f
        """,
        (msgspec.json.encode(keys).decode(),),
    )
