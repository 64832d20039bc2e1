"""The doctor's checks of rights: logins that could bypass our functions."""

from collections.abc import Iterator
from typing import Any

import psycopg

from eventstore.ailment import Ailment
from eventstore.database.granted import find_existing, find_granted
from eventstore.roles import PREFIX, ROLES, wanted_grants
from eventstore.sql import FUNCTIONS

GRANTING = "run the migrations, or `grant_rights` where there are none"
"""The remedy for a missing or superfluous right."""


def check_owner(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    row = connection.execute(
        """
        SELECT pg_has_role(session_user, relowner, 'MEMBER'), session_user::text
        FROM pg_class WHERE oid = to_regclass('public.events')
        """
    ).fetchone()
    if row is not None and row[0]:
        yield Ailment(
            "owner",
            f"{row[1]}, whom we are connected as, owns the log and can change the past",
            "give each process a login of its own, a member of its role, and only"
            " ADMIN_DATABASE_URL the owner",
        )


def check_logins(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    """Yield logins that have one of our roles and are also the tables' owner."""
    for (name,) in connection.execute(
        """
        SELECT DISTINCT m.rolname::text
        FROM pg_auth_members AS a
        JOIN pg_roles AS g ON g.oid = a.roleid
        JOIN pg_roles AS m ON m.oid = a.member
        JOIN pg_class AS c ON c.oid = to_regclass('public.events')
        WHERE g.rolname = ANY (%s) AND m.oid <> c.relowner
            AND pg_has_role(m.oid, c.relowner, 'MEMBER')
        ORDER BY 1
        """,
        ([f"{PREFIX}{role}" for role in ROLES],),
    ):
        yield Ailment(
            "logins",
            f"{name} has a role of ours, and can do what the owner of the log can",
            f"take away from {name} the owner's role, or SUPERUSER",
        )


def check_rights(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    """Yield missing and superfluous privileges of others than the owner."""
    roles = {row[0] for row in connection.execute("SELECT rolname::text FROM pg_roles")}
    missing = [f"{PREFIX}{role}" for role in ROLES if f"{PREFIX}{role}" not in roles]
    if missing:
        yield Ailment("rights", f"there is no role {', '.join(missing)}", GRANTING)
        return
    there = set(find_existing(connection))
    granted = set(find_granted(connection))
    to_have = {right for right in wanted_grants() if right.on in there}
    for word, rights in (
        ("has not", to_have - granted),
        ("has, and is not to have,", granted - to_have),
    ):
        for role, privilege, on in sorted(rights):
            yield Ailment("rights", f"{role} {word} {privilege} on {on}", GRANTING)


def check_functions(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    """Yield functions with the owner's rights whose search_path a caller controls."""
    for (name,) in connection.execute(
        """
        SELECT oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prosecdef
            AND proname = ANY (%s)
            AND NOT coalesce(proconfig, '{}')
                && '{"search_path=pg_catalog, public, pg_temp"}'
        """,
        (list(FUNCTIONS),),
    ):
        yield Ailment(
            "functions",
            f"{name} acts as the owner, and has not our search_path",
            f"ALTER ROUTINE {name} SET search_path = pg_catalog, public, pg_temp",
        )


def check_public(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    """Yield rights to create functions in our schema, which ours could then call."""
    for (name,) in connection.execute(
        """
        SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
        FROM pg_namespace AS n, aclexplode(n.nspacl) AS a
        WHERE n.nspname = 'public' AND a.privilege_type = 'CREATE'
            AND a.grantee <> n.nspowner AND a.grantee IS DISTINCT FROM (
                SELECT relowner FROM pg_class WHERE oid = to_regclass('public.events')
            )
        ORDER BY 1
        """
    ):
        yield Ailment(
            "public",
            f"{name} can make functions and tables beside ours",
            f"REVOKE CREATE ON SCHEMA public FROM {name}",
        )
    row = connection.execute(
        """
        SELECT FROM pg_database AS d,
            aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
        WHERE d.datname = current_database() AND a.grantee = 0
            AND a.privilege_type = 'TEMPORARY'
        """
    ).fetchone()
    if row is not None:
        yield Ailment(
            "public",
            "anybody who connects can make temporary tables, which hide ours",
            "REVOKE TEMPORARY ON DATABASE … FROM PUBLIC",
        )
