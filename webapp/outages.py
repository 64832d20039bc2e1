"""The problems that answer a request when the database is away."""

import logging
import re

import psycopg
from flask import request
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolIsEmpty

from eventstore.projections.generations import live_generations
from eventstore.projections.table import SCHEMA
from eventstore.session_errors import is_of_the_session
from webapp.current_shop import the_shop
from webapp.problems import Problem

DatabaseError = SQLAlchemyError | psycopg.Error
DATABASE_ERRORS = (SQLAlchemyError, psycopg.Error)
OUTAGES = (
    OperationalError,
    InterfaceError,
    PoolIsEmpty,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
# A shop that is being set up has its tables and functions soon. A repeated request gets
# another session if this one, or its server, is unusable.
NOT_YET = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction)


def problem_of(error: DatabaseError) -> Problem | None:
    """Return the Problem to answer, or None if *error* is no outage but a bug."""
    if not is_outage(error):
        return None
    dropped = problem_of_dropped(cause_of(error))
    if dropped is not None:
        return dropped
    if was_cut_off(error) and request.method not in ("GET", "HEAD"):
        return Problem("outcome-unknown")
    return not_accepted()


def not_accepted() -> Problem:
    """Return the Problem to answer if certainly nothing was committed."""
    if request.method in ("GET", "HEAD"):
        return Problem("unavailable", "Try again in a few seconds.")
    return Problem(
        "unavailable", "The command was not accepted. Send it again with the same key."
    )


def is_outage(error: DatabaseError) -> bool:
    cause = cause_of(error)
    return (
        isinstance(error, OUTAGES)
        or isinstance(cause, NOT_YET)
        or (cause is not None and is_of_the_session(cause))
        or was_cut_off(error)
    )


def may_succeed_elsewhere(error: DatabaseError) -> bool:
    """Return whether a query may succeed on another server; not if it took too long."""
    cause = cause_of(error)
    return is_outage(error) and not isinstance(cause, psycopg.errors.QueryCanceled)


def cause_of(error: DatabaseError) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


def was_cut_off(error: DatabaseError) -> bool:
    """
    Return whether the connection broke while it was used.

    Then it may have committed; if it could not be opened, nothing was committed.
    """
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    # Without a SQLSTATE the server never answered; class 57P is a shutdown.
    return isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate.startswith("57P")
    )


log = logging.getLogger(__name__)

# The message may be in another language; the name of a table or view is the same.
A_READ_MODEL = re.compile(rf"\b{SCHEMA}\.(\w+?)(?:_g[0-9]+(?:_\w+)?)?\b")


def problem_of_dropped(error: BaseException | None) -> Problem | None:
    """Return the Problem of a missing read model, and log it; None for other errors."""
    name = read_model_of(error)
    if name is None or not was_there(name):
        return None
    log.error("%s is not there: recount rebuild %s", name, name)
    return Problem(
        "read-model-missing",
        f"The read model {name} was dropped. An operator can rebuild it by "
        f"`recount rebuild {name}`. No data are lost, and everything else works.",
        read_model=name,
    )


def read_model_of(error: BaseException | None) -> str | None:
    """Return the shop's read model that PostgreSQL does not find, or None."""
    if not isinstance(error, psycopg.errors.UndefinedTable):
        return None
    found = A_READ_MODEL.search(error.diag.message_primary or "")
    names = {projection.name for projection in the_shop().projections}
    return found[1] if found and found[1] in names else None


def was_there(name: str) -> bool:
    """Return whether it was made before; a shop being set up will have it soon."""
    try:
        with the_shop().lent() as connection:
            return name in live_generations(connection)
    except (SQLAlchemyError, psycopg.Error):
        return False
