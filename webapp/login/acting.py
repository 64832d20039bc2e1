"""Who acts on the pages, and what they may."""

from flask import Flask, g

from eventstore.access.users import has_users
from tasks.shop.permissions import COMMANDS, MEANINGS, roles_with
from webapp.authorization import OWN, Caller, caller
from webapp.current_shop import LOCAL, the_shop
from webapp.login import sessions
from webapp.login.page_permissions import ANYBODY, PAGES
from webapp.outages import DATABASE_ERRORS, is_outage
from webapp.problems import Problem


class NoLongerKnown(Exception):
    """Whoever sent this was let in while the database was away, and may not be now."""


class NotCertain(Exception):
    """The database is away, so nobody can say who sent this; nothing was accepted."""


def teach(app: Flask) -> None:
    """Let the templates of *app* ask who acts, and what they may."""
    app.jinja_env.globals.update(
        may=may, may_open=may_open, may_send=may_send, the_user=name_shown, LOCAL=LOCAL
    )


def the_user() -> str:
    """
    Return the name by which what a page sends is accepted.

    Raises NoLongerKnown, or NotCertain, if it cannot be said for certain.
    """
    if g.get("is_on_trust") and not is_certain():
        raise NoLongerKnown
    return caller().name


def is_certain() -> bool:
    """Ask the shop's own database whether the caller is still let in."""
    try:
        if caller().name != LOCAL:
            return sessions.is_still_good()
        with the_shop().lent() as connection:
            return not has_users(connection)
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise
        raise NotCertain from error


def name_shown() -> str | None:
    """Return the name of whoever is let in, or None."""
    return caller().name if "caller" in g else None


def may(permission: str) -> bool:
    """Return whether the caller has a *permission*."""
    return "caller" in g and permission in caller().permissions


def may_open(endpoint: str) -> bool:
    """Return whether the caller may open a page."""
    wanted = PAGES.get(endpoint)
    return wanted in (ANYBODY, OWN) or (wanted is not None and may(wanted))


def may_send(command_type: str) -> bool:
    """Return whether the caller may send commands of a type."""
    wanted = COMMANDS.get(command_type)
    return wanted is not None and may(wanted)


def require_page(endpoint: str) -> None:
    """Raise the Problem `forbidden` if the caller may not open a page."""
    if endpoint not in PAGES:
        raise Problem("forbidden", "This page has no permission rule: nobody may.")
    if not may_open(endpoint):
        raise Problem("forbidden", lacking(caller(), PAGES[endpoint]))


def require_sending(command_type: str) -> None:
    """Raise the Problem `forbidden` if the caller may not send such commands."""
    if not may_send(command_type):
        raise Problem("forbidden", lacking(caller(), COMMANDS[command_type]))


def lacking(who: Caller, permission: str) -> str:
    """Return what *who* lacks, and which roles have it."""
    *others, last = roles_with(permission)
    roles = f"{', '.join(others)} or {last}" if others else last
    return (
        f"You are {who.name}, and may not {MEANINGS[permission]}."
        f" Who has the role {roles} may; an admin gives roles."
    )
