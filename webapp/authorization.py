"""
Authorization of the API: the caller, by a token, and the permission, by the endpoint.

Without an entry an endpoint is forbidden. As long as there is no user, a request with
this computer's secret has the caller `local` and all permissions. From the first user
on, every request needs a user's token. A look-up is cached for 0.1 seconds: without
that it would take a third of the time of accepting.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar, cast

import psycopg
from flask import Flask, current_app, g, request

from eventstore.access.tokens import Bearer, find_bearer, hash_of
from eventstore.access.users import has_users
from eventstore.connection import driver_connection
from tasks.shop.permissions import PERMISSIONS, may_send, permissions_of, within
from webapp import local_login
from webapp.current_shop import LOCAL, the_shop
from webapp.journal_source import ask_journal
from webapp.outages import DATABASE_ERRORS, is_outage, not_accepted
from webapp.problems import Problem
from webapp.token_cache import TokenCache

BY_TYPE = "by the type of the command"
"""The permission depends on the command: the view calls `require_command`."""
MAX_SECONDS_OF_MEMORY = 900.0
"""Seconds for which a right token may still read while no database can be asked."""
T = TypeVar("T")
OWN = "one's own"
"""The command's sender may; for others the view requires `commands.read`."""

ROUTES: Mapping[str, str] = {
    "api.post_command": BY_TYPE,
    "api.post_batch": BY_TYPE,
    "trying.one": BY_TYPE,
    "api.command": OWN,
    "journal.commands": OWN,
    "journal.cancel": OWN,
    "queries.orders": "orders.read",
    "queries.order": "orders.read",
    "queries.all_customers": "customers.read",
    "queries.customer": "customers.read",
    "queries.all_products": "orders.read",
    "queries.product": "orders.read",
    "queries.all_ordered_products": "orders.read",
    "queries.figures": "orders.read",
    "queries.sales": "orders.read",
    "queries.all_accounts": "accounts.read",
    "queries.account": "accounts.read",
    "queries.statement": "accounts.read",
    "queries.all_transfers": "accounts.read",
    "queries.transfer": "accounts.read",
    # Of each value whoever may read its row may ask why it is so.
    "why.order": "orders.read",
    "why.customer": "customers.read",
    "why.account": "accounts.read",
    "why.statement_line": "accounts.read",
    "why.transfer": "accounts.read",
    "why.product": "orders.read",
    "why.ordered_product": "orders.read",
    "why.figures": "orders.read",
    "documents.orders": "orders.read",
    "documents.customers": "customers.read",
    # What changed in a list between two moments; as who reads the list.
    **dict.fromkeys(("differences.orders", "differences.orders_csv"), "orders.read"),
    **dict.fromkeys(
        ("differences.customers", "differences.customers_csv"), "customers.read"
    ),
    **dict.fromkeys(
        ("differences.accounts", "differences.accounts_csv"), "accounts.read"
    ),
    **dict.fromkeys(
        ("differences.transfers", "differences.transfers_csv"), "accounts.read"
    ),
    **dict.fromkeys(
        ("differences.products", "differences.products_csv"), "orders.read"
    ),
    "events.page": "events.read",
    "events.stream": "events.read",
    # Rows are made of events, and a follower copies all of them.
    "changes.page": "events.read",
}
"""The permission of each endpoint below /api; one without an entry is forbidden."""


class Caller(NamedTuple):
    """The caller's principal, as in the journal, and the permissions it has now."""

    name: str
    permissions: frozenset[str]


def keep(app: Flask) -> None:
    """Give *app* its cache of tokens."""
    app.extensions["remembered"] = TokenCache()


def is_of_the_api() -> bool:
    # By the matched rule, since one address can be written in several ways.
    rule = request.url_rule
    path = request.path if rule is None else rule.rule
    return path == "/api" or path.startswith("/api/")


def admit_to_the_api() -> None:
    g.caller = caller_of(request.headers.get("Authorization"))
    if request.url_rule is None:
        return
    wanted = ROUTES.get(request.endpoint or "")
    if wanted is None:
        raise Problem(
            "forbidden", "This address has no permission rule, so access is denied."
        )
    if wanted not in (BY_TYPE, OWN):
        require(wanted)


def caller() -> Caller:
    """Return the caller of the API, or who uses the page."""
    return cast(Caller, g.caller)


def require(permission: str) -> None:
    """Raise the Problem `forbidden` if the caller lacks this *permission*."""
    if permission not in caller().permissions:
        detail = f"{caller().name} lacks the permission {permission} with this token."
        raise Problem("forbidden", detail)


def require_command(command_type: str) -> None:
    """Raise the Problem `forbidden` if the caller may not send such commands."""
    if not may_send(command_type, caller().permissions):
        detail = f"{caller().name} may not send {command_type} by this token."
        raise Problem("forbidden", detail)


def token_of_caller() -> str | None:
    """Return the user's token of the request to the API; None if it needed none."""
    if caller().name == LOCAL:
        return None
    return request.headers["Authorization"].partition(" ")[2].strip()


def may_see_commands_of(principal: str) -> bool:
    """Return whether the caller may read the commands of *principal*."""
    return principal == caller().name or "commands.read" in caller().permissions


def caller_of(authorization: str | None) -> Caller:
    """Return the caller of this header. Raises the Problem `token-required`."""
    if authorization is None:
        # Only to read: requests from a page on another port have the cookie, too.
        is_reading = request.method in local_login.SAFE_METHODS
        if is_reading and local_login.has_cookie():
            return local_caller()
        raise Problem("token-required")
    kind, _, token = authorization.partition(" ")
    if kind.lower() != "bearer":
        raise Problem("token-required", "Only Bearer tokens are accepted.")
    if local_login.is_local_token(token.strip()):
        return local_caller()
    bearer = bearer_of(token.strip())
    if bearer is None:
        raise Problem("token-required", "This token is unknown, expired or revoked.")
    return Caller(bearer.user, permissions_of(bearer.roles) & within(bearer.scopes))


def local_caller() -> Caller:
    """Return the local caller. Raises the Problem `token-required` for any other."""
    if not local_login.is_on_this_computer():
        raise Problem("token-required", "This token is valid only on this computer.")
    if there_are_users():
        raise Problem("token-required", "The shop has users: send a user's token.")
    return Caller(LOCAL, PERMISSIONS)


def bearer_of(token: str) -> Bearer | None:
    """Look up a token. Raises the Problem that there were too many wrong ones."""
    digest = hash_of(token)
    bearer = token_cache().fresh(digest)
    if bearer is not None:
        return bearer
    if token_cache().is_refused(digest):
        raise Problem("too-many-wrong-tokens")
    try:
        bearer = ask(lambda connection: find_bearer(connection, token))
    except Problem:
        if not may_rely_on_memory():
            raise
        bearer = token_cache().within(digest, MAX_SECONDS_OF_MEMORY)
        if bearer is None:
            raise
        return bearer
    token_cache().learn(digest, bearer)
    return bearer


def there_are_users() -> bool:
    """Return whether there is any user; users are never deleted."""
    if token_cache().there_are_users or token_cache().knows_of_no_users():
        return token_cache().there_are_users
    try:
        token_cache().learn_users(ask(has_users))
    except Problem:
        if not may_rely_on_memory() or not token_cache().had_no_users_within(
            MAX_SECONDS_OF_MEMORY
        ):
            raise
    return token_cache().there_are_users


def token_cache() -> TokenCache:
    return cast(TokenCache, current_app.extensions["remembered"])


def may_rely_on_memory() -> bool:
    """
    Return whether a former look-up counts while no database can be asked.

    Only to read, and where there is a store that has rows and no tokens: it could not
    answer a single request otherwise.
    """
    reads = the_shop().reads
    is_reading = request.method in local_login.SAFE_METHODS
    return is_reading and reads is not None and len(reads.whole()) < len(reads.stores)


def ask(question: Callable[[psycopg.Connection[Any]], T]) -> T:
    """Ask the database, or a replica. Raises the Problem that both are away."""
    try:
        return ask_journal(lambda c: question(driver_connection(c)), notes=False)
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise
        # Nothing can have been committed before this.
        raise not_accepted() from error
