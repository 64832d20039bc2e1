"""The privileges granted in a database, to compare with those of `roles`."""

from collections.abc import Iterable
from typing import Any

import psycopg

from eventstore.roles import PREFIX, TABLES, Grant
from eventstore.sql import FUNCTIONS


def find_existing(connection: psycopg.Connection[Any]) -> Iterable[str]:
    """Yield the existing tables and functions for which rights are defined."""
    for (name,) in connection.execute(
        """
        SELECT concat_ws('.', nullif(n.nspname, 'public'), c.relname)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE concat_ws('.', nullif(n.nspname, 'public'), c.relname) = ANY (%s)
        UNION
        SELECT proname::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proname = ANY (%s)
        """,
        (list(TABLES), list(FUNCTIONS)),
    ):
        yield name


def find_granted(connection: psycopg.Connection[Any]) -> Iterable[Grant]:
    """Yield the privileges of others than the owner on the engine's objects."""
    for grantee, privilege, on in connection.execute(
        """
        WITH ours AS (
            SELECT t.name, c.relacl AS acl, c.relowner AS owner
            FROM pg_class AS c
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            -- Not by to_regclass, for which one must be let into the schema.
            CROSS JOIN LATERAL (
                SELECT concat_ws('.', nullif(n.nspname, 'public'), c.relname) AS name
            ) AS t
            WHERE t.name = ANY (%(tables)s)
            UNION ALL
            -- What is granted on a column of it alone.
            SELECT concat_ws('.', nullif(n.nspname, 'public'), c.relname),
                a.attacl, c.relowner
            FROM pg_attribute AS a
            JOIN pg_class AS c ON c.oid = a.attrelid
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE a.attacl IS NOT NULL
                AND concat_ws('.', nullif(n.nspname, 'public'), c.relname)
                    = ANY (%(tables)s)
            UNION ALL
            SELECT
                p.proname::text, coalesce(p.proacl, acldefault('f', p.proowner)),
                p.proowner
            FROM pg_proc AS p
            WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname = ANY (%(functions)s)
        )
        SELECT
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
            a.privilege_type, ours.name
        FROM ours, aclexplode(ours.acl) AS a
        WHERE a.grantee <> ours.owner
        """,
        {"tables": list(TABLES), "functions": list(FUNCTIONS)},
    ):
        yield Grant(grantee.removeprefix(PREFIX), privilege, on)
