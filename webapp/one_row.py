"""One row of a read model: from the store of hot rows, or else from a database."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import psycopg
import sqlalchemy as sa
from flask import g

from eventstore.connection import driver_connection
from eventstore.projections.freshness import Freshness
from eventstore.projections.projection import Key
from readmodels.stores.hot.queries import HotRow, HotRows, Miss
from webapp.answering_store import StoreNote
from webapp.current_shop import the_shop
from webapp.journal_source import ask_journal
from webapp.new_enough import ask_store, takes
from webapp.outages import DATABASE_ERRORS, is_outage
from webapp.parked_rows import NO_MARKS, Marks, mark_one, refuse_parked
from webapp.position_asked import is_asked_to_show
from webapp.problems import Problem
from webapp.read_connection import reading

K = TypeVar("K", bound=Key)
R = TypeVar("R")

WITH_NUMBERS_OF_CHANGES = ("primary", "replica")
"""The databases whose rows can be put into the store of hot rows."""


class FoundRow(NamedTuple):
    """The row that an answer is about, how fresh it is, and whether it is old."""

    row: Any
    position: Freshness
    marks: Marks


class HotQuestion(NamedTuple):
    """How the store of hot rows is asked for one, and how one is put into it."""

    find: Callable[[HotRows, Any], HotRow[Any] | Miss]
    fill: Callable[[HotRows, psycopg.Connection[Any], Miss, Any], Any]


ORDER = HotQuestion(HotRows.find_order, HotRows.fill_order)
CUSTOMER = HotQuestion(HotRows.find_customer, HotRows.fill_customer)


def find_row(
    model: Any,
    find: Callable[[sa.Connection, K], R | None],
    key: K,
    missing: Callable[[K, Freshness], Problem],
    *,
    hot: HotQuestion | None = None,
    beside: Callable[[sa.Connection], None] | None = None,
) -> FoundRow:
    """
    Return the requested row. Raises the Problem that it is missing, or parked.

    *model* is the read model's module and *find* its query. *hot* is how the store of
    hot rows is asked first. *beside* asks for what the page says besides.
    """
    kept = None if hot is None else find_hot(hot, key)
    if isinstance(kept, HotRow):
        if beside is not None:
            ask_beside(beside)
        return FoundRow(kept.row, Freshness(kept.position, 0), NO_MARKS)
    with reading(model.projection) as (connection, position):
        if beside is not None:
            beside(connection)
        found = None
        if hot is not None and kept is not None:
            found = fill_hot(hot, key, kept, connection)
        found = found or find(connection, key)
        if found is None:
            refuse_parked(connection, model.projection, key, position)
            raise missing(key, position)
        marks = mark_one(connection, model.projection, found, position)
    return FoundRow(found, position, marks)


def ask_beside(beside: Callable[[sa.Connection], None]) -> None:
    """Ask for what the page says besides, where a database can be asked."""
    try:
        ask_journal(beside, notes=False)
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise


def find_hot(hot: HotQuestion, key: Key) -> HotRow[Any] | Miss | None:
    """Return the row if it is new enough, a miss, or None if the store is not asked."""
    store = the_shop().stores.hot
    if store is None or not is_asked_to_show():
        return None
    found = ask_store(store, lambda rows: hot.find(rows, key))
    if isinstance(found, HotRow) and not takes(store, found):
        return None
    return found


def fill_hot(hot: HotQuestion, key: Key, miss: Miss, connection: sa.Connection) -> Any:
    """Return the row that was just put into the store, None if none was."""
    store, answering = the_shop().stores.hot, g.get("store")
    assert store is not None
    if isinstance(answering, StoreNote) and answering.name in WITH_NUMBERS_OF_CHANGES:
        driver = driver_connection(connection)
        return store.ask(lambda rows: hot.fill(rows, driver, miss, key))
    return None
