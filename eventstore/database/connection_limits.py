"""Check that PostgreSQL admits as many sessions as the processes may open."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

from eventstore.ailment import Ailment
from eventstore.roles import PREFIX

NAME = "connections"

# As PostgreSQL counts: a superuser is exempt from the limits of a role or a database,
# and may use the reserved places.
_OWN = """
    SELECT r.rolname::text, r.rolconnlimit
    FROM pg_roles AS r
    WHERE r.rolname = session_user AND NOT r.rolsuper AND r.rolconnlimit >= 0
"""
_LOGINS = """
    SELECT m.rolname::text, m.rolconnlimit, g.rolname::text
    FROM pg_auth_members AS a
    JOIN pg_roles AS g ON g.oid = a.roleid
    JOIN pg_roles AS m ON m.oid = a.member
    WHERE g.rolname = ANY (%s)
        AND m.rolcanlogin AND NOT m.rolsuper AND m.rolconnlimit >= 0
    ORDER BY 1, 3
"""
_SHARED = """
    SELECT
        quote_ident(d.datname), d.datconnlimit,
        current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int
            - coalesce(nullif(current_setting('reserved_connections', true), ''), '0')
                ::int
    FROM pg_database AS d
    WHERE d.datname = current_database()
"""


def check_own_connections(
    connection: psycopg.Connection[Any], needed: int
) -> Iterator[Ailment]:
    """Yield the limits below the *needed* sessions of this process."""
    for login, limit in connection.execute(_OWN).fetchall():
        if limit < needed:
            yield of_login(login, limit, needed, "this process")
    yield from check_shared(connection, needed, "this process")


def check_all_connections(
    connection: psycopg.Connection[Any], needs: Mapping[str, int]
) -> Iterator[Ailment]:
    """
    Yield the limits below the sessions that all processes together may open.

    *needs* has the sessions of each role, of one process as the Procfile starts it.
    """
    own: dict[str, list[tuple[int, str]]] = {}
    roles = {f"{PREFIX}{role}": role for role in needs}
    for login, limit, role in connection.execute(_LOGINS, (list(roles),)).fetchall():
        own.setdefault(login, []).append((limit, roles[role]))
    for login, limits in own.items():
        needed = sum(needs[role] for _, role in limits)
        if limits[0][0] < needed:
            whose = " and ".join(role for _, role in limits)
            yield of_login(login, limits[0][0], needed, whose)
    for login, limit in connection.execute(_OWN).fetchall():
        if login not in own and limit < sum(needs.values()):
            yield of_login(login, limit, sum(needs.values()), "all processes")
    yield from check_shared(connection, sum(needs.values()), "all processes")


def of_login(login: str, limit: int, needed: int, whose: str) -> Ailment:
    return Ailment(
        NAME,
        f"{login} may open {limit} connections, and {whose} may open {needed}: the rest"
        " are refused",
        f"ALTER ROLE {login} CONNECTION LIMIT {needed}, or more for more processes",
    )


def check_shared(
    connection: psycopg.Connection[Any], needed: int, whose: str
) -> Iterator[Ailment]:
    """Yield the limits of the database and the server that are below *needed*."""
    ((database, of_database, of_server),) = connection.execute(_SHARED).fetchall()
    if 0 <= of_database < needed:
        yield Ailment(
            NAME,
            f"the database {database} takes {of_database} connections, and {whose} may"
            f" open {needed}",
            f"ALTER DATABASE {database} CONNECTION LIMIT {needed}, or -1 for no limit",
        )
    if of_server < needed:
        yield Ailment(
            NAME,
            f"the server takes {of_server} connections beside the reserved ones, and"
            f" {whose} may open {needed}",
            "raise max_connections and restart PostgreSQL",
        )
