"""What who follows may see now: looked up again and again, as long as they stay."""

from typing import Any

import psycopg

from eventstore.access.tokens import find_bearer
from eventstore.access.users import has_users
from tasks.shop.permissions import PERMISSIONS, permissions_of, within


def find_permissions(
    connection: psycopg.Connection[Any], token: str | None
) -> frozenset[str]:
    """
    Return what the bearer of a *token* may do now, and nothing where it was revoked.

    None is who needs no token on this computer, as long as there are no users.
    """
    if token is None:
        return frozenset() if has_users(connection) else PERMISSIONS
    bearer = find_bearer(connection, token)
    if bearer is None:
        return frozenset()
    return permissions_of(bearer.roles) & within(bearer.scopes)
