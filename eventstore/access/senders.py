"""Look up the senders of commands and their roles at the time of deciding."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

LOCAL = "local"
"""The principal of local clients, which need no token."""
PROCESS = "process:"
"""The prefix of the principals of our own processes."""


class Sender(NamedTuple):
    """
    The sender of a command.

    *user* is its name, *roles* are the names of the roles that it has now.
    """

    user: str
    roles: list[str]


May = Callable[[str, Sender], bool]
"""Returns whether the sender may send commands of a type."""


def needs_no_roles(principal: str) -> bool:
    return principal == LOCAL or principal.startswith(PROCESS)


def find_senders(
    connection: psycopg.Connection[Any], command_ids: Sequence[UUID]
) -> Mapping[UUID, Sender]:
    """Return the senders of those commands whose sender needs roles, by command."""
    rows = connection.execute(
        """
        SELECT command_id, principal, roles
        FROM public.roles_of_senders(%s::uuid[])
        """,
        (list(command_ids),),
    )
    return {command_id: Sender(user, roles) for command_id, user, roles in rows}
