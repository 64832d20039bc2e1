"""The present permissions of subscribers, looked up regularly while they follow."""

from typing import Any

import psycopg

from eventstore.access.tokens import find_bearer
from eventstore.access.users import has_users
from tasks.shop.permissions import PERMISSIONS, permissions_of, within


def find_permissions(
    connection: psycopg.Connection[Any], token: str | None
) -> frozenset[str]:
    """
    Return the present permissions of a *token*, none if it was revoked.

    None is a local subscriber, which needs no token as long as there are no users.
    """
    if token is None:
        return frozenset() if has_users(connection) else PERMISSIONS
    bearer = find_bearer(connection, token)
    if bearer is None:
        return frozenset()
    return permissions_of(bearer.roles) & within(bearer.scopes)
