"""Users of a shop in tests, and the tokens by which they ask."""

from collections.abc import Sequence
from datetime import timedelta

from eventstore.access.tokens import create_token
from eventstore.access.users import add_user
from tasks.shop.wiring import Shop


def user(shop: Shop, name: str, *roles: str) -> dict[str, str]:
    """Add a user and return the header by which they ask the API."""
    with shop.lent() as connection:
        assert add_user(connection, name, roles)
    return bearing(token_of(shop, name))


def token_of(shop: Shop, name: str, scopes: Sequence[str] = ("all",)) -> str:
    with shop.lent() as connection:
        token = create_token(
            connection, name, scopes=scopes, expires_in=timedelta(days=1)
        )
    assert token is not None
    return token


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
