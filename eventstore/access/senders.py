"""Whether the senders of commands still may, at the moment when these are decided."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

LOCAL = "local"
"""The principal of who needs no token, since they are on this computer."""
PROCESS = "process:"
"""How the principals of our own processes begin."""


class Sender(NamedTuple):
    """The sender of a command, with the user's current roles."""

    user: str
    roles: list[str]


May = Callable[[str, Sender], bool]
"""Says whether commands of a type are allowed to their sender."""


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
