"""What a database that does not answer means for the one who asked."""

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
# A shop that is being set up has its tables in a moment. Who asks again is served by
# another session where this one, or its server, is of no use any more.
NOT_YET = (psycopg.errors.UndefinedTable,)


def problem_of(error: DatabaseError) -> Problem | None:
    """Return what to answer, or None where *error* is no outage but a bug."""
    if not is_outage(error):
        return None
    dropped = problem_of_dropped(cause_of(error))
    if dropped is not None:
        return dropped
    if was_cut_off(error) and request.method not in ("GET", "HEAD"):
        return Problem("outcome-unknown")
    return not_accepted()


def not_accepted() -> Problem:
    """Return what to answer where it is certain that nothing was committed."""
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


def cause_of(error: DatabaseError) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


def was_cut_off(error: DatabaseError) -> bool:
    """
    Say whether the connection broke while it was used.

    It may have carried the commit already; one that could not be made carried nothing.
    """
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    # Without a state the server never answered; class 57P is a server that goes down.
    return isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate.startswith("57P")
    )


log = logging.getLogger(__name__)

# The server may say it in another language; the name stays, of a table or of the view.
A_READ_MODEL = re.compile(rf"\b{SCHEMA}\.(\w+?)(?:_g[0-9]+(?:_\w+)?)?\b")


def problem_of_dropped(error: BaseException | None) -> Problem | None:
    """Return what to answer where *error* is that a read model is gone, and log it."""
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
    """Return the read model that PostgreSQL misses, if it is one of the shop's."""
    if not isinstance(error, psycopg.errors.UndefinedTable):
        return None
    found = A_READ_MODEL.search(error.diag.message_primary or "")
    names = {projection.name for projection in the_shop().projections}
    return found[1] if found and found[1] in names else None


def was_there(name: str) -> bool:
    """Say whether it was made once: a shop that is being set up has it in a moment."""
    try:
        with the_shop().lent() as connection:
            return name in live_generations(connection)
    except (SQLAlchemyError, psycopg.Error):
        return False
