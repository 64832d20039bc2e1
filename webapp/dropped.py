"""A read model whose table somebody dropped: what is told of it, and to whom."""

import logging
import re

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from eventstore.connection import driver_connection
from eventstore.projections.generations import live_generations
from eventstore.projections.table import SCHEMA
from webapp.problems import Problem
from webapp.wiring import the_shop

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
        f"The read model {name} was dropped. Whoever runs the shop fills it anew by "
        f"`recount rebuild {name}`. Nothing is lost, and everything else works.",
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
        with the_shop().autocommitting.connect() as connection:
            return name in live_generations(driver_connection(connection))
    except (SQLAlchemyError, psycopg.Error):
        return False
