"""Groups of the database server: roles without a login, and their members."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from eventstore.errors import RolesMissing


def make_roles(
    connection: sa.Connection, names: Sequence[str], group: str, members: Sequence[str]
) -> None:
    """
    Make the roles *names* that are missing; all databases of the server share them.

    *members*, and the connected login, become members of *group*; both are among
    *names*. Raises RolesMissing where the login may not make roles or members.
    """
    missing = find_missing(connection, names)
    memberships = list(find_memberships(connection, missing, group, members))
    if missing and not connection.scalar(
        sa.text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = user")
    ):
        raise RolesMissing([f"CREATE ROLE {n} NOLOGIN" for n in missing] + memberships)
    for name in missing:
        # Another database of this server may be migrated at the same time.
        connection.exec_driver_sql(
            f"""
            DO $$ BEGIN
                CREATE ROLE {name} NOLOGIN;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END $$
            """
        )
    if memberships and not may_grant(connection, group):
        raise RolesMissing(memberships)
    for statement in memberships:
        connection.exec_driver_sql(statement)


def find_missing(connection: sa.Connection, names: Sequence[str]) -> list[str]:
    known = set(
        connection.scalars(
            sa.text("SELECT rolname FROM pg_roles WHERE rolname = ANY (:names)"),
            {"names": list(names)},
        )
    )
    return [name for name in names if name not in known]


def find_memberships(
    connection: sa.Connection,
    missing: Sequence[str],
    group: str,
    members: Sequence[str],
) -> Iterator[str]:
    """Yield the statements that make *members* and the login members of *group*."""
    user = connection.scalar(sa.text("SELECT quote_ident(user)"))
    for member, name in [*zip(members, members, strict=True), (None, user)]:
        is_new = member in missing or group in missing
        if is_new or not is_member(connection, group, member):
            yield f"GRANT {group} TO {name}"


def is_member(connection: sa.Connection, group: str, member: str | None) -> bool:
    """
    Return whether *member*, or the connected login, has the rights of *group*.

    Since PostgreSQL 16, the creator of a role is its member, but only with the right to
    grant it to others.
    """
    return bool(
        connection.scalar(
            sa.text(
                """
                SELECT pg_has_role(m.name, :group, 'USAGE') AND pg_has_role(
                    m.name, :group,
                    CASE WHEN current_setting('server_version_num')::integer < 160000
                        THEN 'USAGE' ELSE 'SET' END
                )
                FROM (SELECT coalesce(:member, user)::name) AS m (name)
                """
            ),
            {"member": member, "group": group},
        )
    )


def may_grant(connection: sa.Connection, group: str) -> bool:
    """Return whether the connected login may make others members of *group*."""
    return bool(
        connection.scalar(
            sa.text(
                """
                SELECT
                    pg_has_role(:group, 'MEMBER WITH ADMIN OPTION')
                    -- Before PostgreSQL 16 this was enough for any role.
                    OR rolcreaterole
                        AND current_setting('server_version_num')::integer < 160000
                FROM pg_roles WHERE rolname = user
                """
            ),
            {"group": group},
        )
    )
