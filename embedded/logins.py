"""
The logins of our own PostgreSQL: one a process, with the rights of its role alone.

They protect the log from a faulty or hijacked process, but not from the user's own
account: every client of the socket is trusted, and only the owner of the data folder
can reach it.
"""

import os
from collections.abc import Mapping
from urllib.parse import quote

from embedded.folders import Folders
from embedded.postgres import DATABASE, OWNER, database_url
from tasks.shop.connections import connect

ROLES = ("web", "worker", "relay", "reader", "operator")
TO_READ = ("READ_DATABASE_URL", "REPLICA_DATABASE_URL")
"""The addresses of other servers, from which all processes may read."""
OF_PROCESSES = {"web": "web", "worker": "worker", "relay": "relay", "beat": "worker"}
"""Whose rights the processes of our Procfile have."""


def login_of(role: str) -> str:
    return f"recount_{role}_login"


def group_of(role: str) -> str:
    return f"recount_{role}"


def ensure_logins(folders: Folders) -> None:
    """Make the logins that are missing; the migrations give their roles the rights."""
    with connect(database_url(folders)) as connection:
        known = {
            name for (name,) in connection.execute("SELECT rolname::text FROM pg_roles")
        }
        for role in ROLES:
            if group_of(role) not in known:
                connection.execute(f"CREATE ROLE {group_of(role)} NOLOGIN")
            if login_of(role) not in known:
                connection.execute(
                    f"CREATE ROLE {login_of(role)} LOGIN IN ROLE {group_of(role)}"
                )


def variables(folders: Folders) -> dict[str, str]:
    """Return the environment variables with the URLs of the logins."""
    host = quote(os.fspath(folders.sockets), safe="/")
    users = {role: login_of(role) for role in ROLES} | {"admin": OWNER}
    return {
        variable(role): f"postgresql://{user}@/{DATABASE}?host={host}"
        for role, user in users.items()
    }


def variable(role: str) -> str:
    return f"{role.upper()}_DATABASE_URL"


def for_process(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """
    Return *environment* with no address of the shop's database but that of the
    process's own login.
    """
    role = OF_PROCESSES.get(name)
    if role is None or variable(role) not in environment:
        return dict(environment)
    own = {
        name: value
        for name, value in environment.items()
        if name in TO_READ or not name.endswith("DATABASE_URL")
    }
    return {**own, variable(role): environment[variable(role)]}
