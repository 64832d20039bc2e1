"""Tables of read models belong to the owner of their schema, not to their maker."""

import psycopg
from psycopg import sql

from eventstore.projections.table import SCHEMA


def schema_owner(connection: psycopg.Connection) -> str | None:
    """Return the owner of the read models; None if there is no schema for them yet."""
    row = connection.execute(
        "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = %s", (SCHEMA,)
    ).fetchone()
    return row[0] if row else None


def hand_over(connection: psycopg.Connection, kind: str, *names: str) -> None:
    """
    Give objects in the schema to the schema's owner, and grant SELECT to its readers.

    So each member of the owner can drop what another one has made. Readers are roles
    with USAGE on the schema.
    """
    for name in names:
        connection.execute(
            sql.SQL("ALTER {} {} OWNER TO {}").format(
                sql.SQL(kind),
                sql.Identifier(SCHEMA, name),
                sql.SQL(schema_owner(connection) or "CURRENT_USER"),
            )
        )
        for reader in readers(connection):
            connection.execute(
                sql.SQL("GRANT SELECT ON {} TO {}").format(
                    sql.Identifier(SCHEMA, name), sql.SQL(reader)
                )
            )


def readers(connection: psycopg.Connection) -> list[str]:
    """Return the roles that were let into the schema, but for its owner."""
    rows = connection.execute(
        """
        SELECT a.grantee::regrole::text
        FROM pg_namespace AS n, aclexplode(n.nspacl) AS a
        WHERE n.nspname = %s AND a.privilege_type = 'USAGE'
            AND a.grantee NOT IN (0, n.nspowner)
        ORDER BY 1
        """,
        (SCHEMA,),
    )
    return [role for (role,) in rows]
