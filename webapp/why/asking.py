"""What is asked about a value, by the parameters of a request, and its answer."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import psycopg

from eventstore.connection import driver_connection
from eventstore.errors import (
    NotSettled,
    ReadModelBehind,
    ReadModelOutdated,
    TooIntertwined,
)
from eventstore.explaining.explanation import Explanation
from eventstore.explaining.why import MAX_CHANGES, Question, explain
from eventstore.projections.projection import Key, Projection
from tasks.stores.read_databases import PRIMARY
from webapp.answering_store import note_store
from webapp.current_shop import the_shop
from webapp.parked_rows import refuse_parked
from webapp.past.making import who_asks
from webapp.past.moment_asked import moment_shown
from webapp.problems import Problem, not_found
from webapp.query_parameters import number, one_of, only, refuse
from webapp.read_connection import note_old_rows
from webapp.read_source import lend_primary

OF_REASONS = ("column", "as_of", "as_of_position", "limit", "min_position")
MAX_EVENTS = 10_000
"""Of those that are folded for one answer: a second, or less, of the web's time."""
LOCK = "hashtext('recount why'), hashtext(%s)"


@dataclass(frozen=True, slots=True)
class ExplainedRows:
    """
    Rows of which each value can be explained: *noun* is what one is called.

    *read_models* are the names of those that have such a row. A column is looked for in
    the first one, then in the others. Only what a row shows can be asked for.
    """

    noun: str
    read_models: Sequence[str]

    @property
    def columns(self) -> Mapping[str, Projection]:
        """The read model of each column that is shown."""
        found: dict[str, Projection] = {}
        for name in self.read_models:
            module = import_module(f"readmodels.{name}")
            for field in fields(module.view.row):
                found.setdefault(field.name, module.projection)
        return found


ORDERS = ExplainedRows("order", ("order_details", "order_list"))
CUSTOMERS = ExplainedRows("customer", ("customers",))
ACCOUNTS = ExplainedRows("account", ("accounts",))
STATEMENT_LINES = ExplainedRows("line of the statement", ("account_statement",))
TRANSFERS = ExplainedRows("transfer", ("transfers",))
PRODUCTS = ExplainedRows("product", ("products",))
ORDERED_PRODUCTS = ExplainedRows("ordered product", ("ordered_products",))
FIGURES = ExplainedRows("figures", ("figures",))


def find_reason(
    rows: ExplainedRows, key: Key, *may_ask: str, **about: str
) -> Explanation:
    """
    Return why the requested column of the row *key* has its value.

    *may_ask* are further parameters of the address, *about* columns of the row with the
    values that the address gives them. The shop's own database is asked:
    no other store has the log. Raises the Problem that the request is wrong, that there
    is no such row, that it is made of too many events, that the read model has not read
    all of a moment, or that something as large is computed for the caller already.
    """
    only(*OF_REASONS, *may_ask)
    columns = rows.columns
    name = one_of("column", columns)
    if name is None:
        refuse(f"column is missing; it must be one of {', '.join(columns)}")
    projection = columns[name]
    question = question_about(key, name, streams_in(projection, about))
    limit = number("limit", highest=MAX_CHANGES) or MAX_CHANGES
    with lend_primary([projection]) as source:
        connection = driver_connection(source.connection)
        try:
            with one_at_a_time(connection, projection):
                found = explain(
                    connection,
                    projection,
                    question,
                    masters=the_shop().deciders.masters,
                    limit=limit,
                    most=MAX_EVENTS,
                    # Of a name that nothing is called, all orders would be folded.
                    finds_missing=False,
                )
        except NotSettled:
            refuse("as_of_position is beyond the events that there are")
        except ReadModelBehind as error:
            raise Problem("read-model-behind", str(error)) from error
        except TooIntertwined as error:
            raise Problem("too-many-events") from error
        except ReadModelOutdated as error:
            raise Problem("read-model-missing", str(error)) from error
        [place] = source.reached
        note_old_rows(projection.name, place)
        is_other = any(getattr(found.row, name, v) != v for name, v in about.items())
        if is_other or (found.row is None and not found.changes and found.is_whole):
            refuse_parked(source.connection, projection, key, place)
            raise not_found(f"{rows.noun} {key}", place)
    note_store(PRIMARY, found.position)
    return found


@contextmanager
def one_at_a_time(
    connection: psycopg.Connection[Any], projection: Projection
) -> Iterator[None]:
    """
    Have the caller wait for one answer alone for which all events are folded.

    Those about a row with streams of its own take milliseconds, and are not counted.
    Raises the Problem that there is such a one.
    """
    if projection.streams:
        yield
        return
    who = (who_asks(),)
    if connection.execute(f"SELECT pg_try_advisory_lock({LOCK})", who).fetchone() != (
        True,
    ):
        raise Problem("too-many-reasons")
    try:
        yield
    finally:
        connection.execute(f"SELECT pg_advisory_unlock({LOCK})", who)


def streams_in(projection: Projection, about: Mapping[str, str]) -> list[str]:
    """Return the streams that the address names: columns, with their values."""
    return [
        f"{projection.streams[name]}-{value}"
        for name, value in about.items()
        if name in projection.streams
    ]


def question_about(key: Key, column: str, streams: Sequence[str]) -> Question:
    """Return the question as of the requested moment. Raises the Problem of a later."""
    past = moment_shown()
    if past is None:
        return Question(key=key, column=column, streams=streams)
    if past.at is not None and past.at > datetime.now(UTC):
        refuse("as_of must not be in the future")
    return Question(
        key=key, column=column, position=past.position, at=past.at, streams=streams
    )
