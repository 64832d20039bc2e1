"""Orders and customers as documents, found by conditions on any of their fields."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from eventstore.projections.freshness import Freshness
from readmodels.stores.documents import on_postgres
from readmodels.stores.documents.document_types import (
    CUSTOMERS,
    ORDERS,
    DocumentType,
)
from readmodels.stores.documents.filters import (
    OPERATORS,
    BadFilter,
    Filter,
    read_filter,
)
from webapp.api.queries import a_page, limit_asked
from webapp.current_shop import the_shop
from webapp.new_enough import ask_store, takes
from webapp.parked_rows import NO_MARKS, mark_rows
from webapp.past.moment_asked import PARAMETERS
from webapp.problems import Problem
from webapp.query_parameters import once, page_asked, shorten_name
from webapp.read_connection import reading

if TYPE_CHECKING:
    # It loads the client, which only those need who have the store.
    from readmodels.stores.documents.queries import FoundDocuments

OF_PAGES = ("sort", "after", "limit", "min_position", *PARAMETERS)
"""Parameters that are no conditions."""

routes = Blueprint("documents", __name__, url_prefix="/api/documents")


@routes.get("/orders", endpoint="orders")
def orders() -> ResponseReturnValue:
    return page_of(ORDERS)


@routes.get("/customers", endpoint="customers")
def customers() -> ResponseReturnValue:
    return page_of(CUSTOMERS)


def page_of(documents: DocumentType) -> dict[str, Any]:
    """Return the page of documents that the request asks for."""
    asked = filter_asked(documents)
    page = page_asked(documents.view, documents.usual_sort)
    limit = limit_asked()
    stored = find_stored(documents, asked, page, limit)
    if stored is not None:
        position = Freshness(stored.position, 0)
        return a_page(documents.name, stored.page, position, NO_MARKS)
    with reading(documents.projection) as (connection, position):
        found = on_postgres.find(connection, documents, asked, **page, limit=limit)
        marks = mark_rows(connection, documents.projection, found.rows, position)
    return a_page(documents.name, found, position, marks)


def find_stored(
    documents: DocumentType, asked: Filter, page: Mapping[str, Any], limit: int
) -> "FoundDocuments | None":
    """Return the page of the store of documents if there is a new enough one."""
    store = the_shop().stores.documents
    if store is None:
        return None
    found = ask_store(
        store, lambda them: them.find(documents, asked, **page, limit=limit)
    )
    return found if found is not None and takes(store, found) else None


def filter_asked(documents: DocumentType) -> Filter:
    """Return the filter in the address. Raises the Problem that it is wrong."""
    for name, values in request.args.lists():
        once(shorten_name(name), values)
    conditions = [pair for pair in request.args.items() if pair[0] not in OF_PAGES]
    try:
        return read_filter(documents.fields, conditions)
    except BadFilter as error:
        raise Problem(
            "bad-request", str(error), operators=operators_of(documents)
        ) from error


def operators_of(documents: DocumentType) -> dict[str, list[str]]:
    """Return what can be asked: the operators of each field, by its name."""
    return {name: [*OPERATORS[f.kind]] for name, f in documents.fields.items()}
