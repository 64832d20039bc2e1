"""A page of a list: from the store of searches, or else from a database."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from eventstore.projections.freshness import Freshness
from eventstore.projections.views import Page
from webapp.current_shop import the_shop
from webapp.new_enough import ask_store, takes
from webapp.parked_rows import NO_MARKS, Marks, mark_rows
from webapp.position_asked import position_asked
from webapp.read_connection import reading

if TYPE_CHECKING:
    # It loads the client, which only those need who have the store.
    from readmodels.stores.search.queries import Behind, FoundPage, Searches


class FoundRows(NamedTuple):
    """A page of rows, how fresh they are, and which of them are old."""

    page: Page[Any]
    position: Freshness
    marks: Marks


Question = Callable[..., "FoundPage[Any] | Behind"]


def search_orders(searches: "Searches", **asked: Any) -> "FoundPage[Any] | Behind":
    return searches.find_orders(**asked)


def search_customers(searches: "Searches", **asked: Any) -> "FoundPage[Any] | Behind":
    return searches.find_customers(**asked)


def find_rows(
    model: Any, asked: Mapping[str, Any], limit: int, *, search: Question | None = None
) -> FoundRows:
    """
    Return the requested page of the read model whose module is *model*.

    *search* asks the store of searches, where something is searched for.
    """
    found = None
    if search is not None and asked.get("search") is not None:
        found = find_in_store(search, {**asked, "limit": limit})
    if found is not None:
        return found
    with reading(model.projection) as (connection, position):
        page = model.find(connection, **asked, limit=limit)
        marks = mark_rows(connection, model.projection, page.rows, position)
    return FoundRows(page, position, marks)


def find_in_store(search: Question, asked: Mapping[str, Any]) -> FoundRows | None:
    """Return what the store of searches has found, None if it is not new enough."""
    store = the_shop().stores.search
    if store is None:
        return None
    from readmodels.stores.search.queries import FoundPage

    least = position_asked().position
    found = ask_store(store, lambda them: search(them, **asked, min_position=least))
    if not isinstance(found, FoundPage) or not takes(store, found):
        return None
    return FoundRows(found.page, Freshness(found.position, 0), NO_MARKS)
