"""
Searches of both lists, answered by the search store as PostgreSQL answers them.

What is found, its order and the cursors are those of `order_list.find` and
`customers.find`: a page may come from the one and the next from the other. Since rows
are sorted by a unique key behind what is asked for, a page begins behind the last row
of the one before. A point in time, which would hold files in the server for as long as
somebody reads, adds nothing to that.

Each answer has the checkpoint as this very search saw it, so it says which position its
rows have. What was written comes into view once a second, or when a query asks for it.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar

from domain.orders.status import Status
from eventstore.errors.stores import StoreAway, Unanswerable
from eventstore.projections.views import Page
from readmodels.customers import CustomerView
from readmodels.order_list import number_in
from readmodels.order_summary import OrderSummaryView
from readmodels.stores.search.client import SECONDS_TO_ANSWER
from readmodels.stores.search.forms import CUSTOMERS, ORDERS, Form
from readmodels.stores.search.one_search import Search, SearchQuestion
from readmodels.stores.search.store import SearchStore
from readmodels.stores.search.wanted import Query, SearchTerms, all_of, any_of

R = TypeVar("R")

SECONDS_BETWEEN_REFRESHES = 0.1


@dataclass(frozen=True, slots=True)
class FoundPage(Generic[R]):
    """
    A page of rows, all of which have the events up to *position*.

    *certified_at* is when the copy last had all changes, in seconds since 1970 by the
    feeder's clock; None if it never had. *parked* is how many streams are parked for
    the read model: their rows are old in PostgreSQL, too.
    """

    page: Page[R]
    position: int
    certified_at: float | None
    parked: int


class Behind(NamedTuple):
    """The store's rows have *position*, and not yet the one that was asked for."""

    position: int


class Searches:
    """
    Questions to the search store, for all threads of a process.

    All methods raise StoreAway after *seconds* without an answer, or if no copy answers
    yet; it is not asked again.
    """

    def __init__(self, store: SearchStore, seconds: float = SECONDS_TO_ANSWER) -> None:
        self.store = store
        self.seconds = seconds
        self.refreshes = {name: Refreshes() for name in store.forms}

    def find_orders(
        self,
        search: str,
        *,
        status: str | None = None,
        customer_id: str | None = None,
        is_due: bool | None = None,
        has_credit: bool | None = None,
        is_ready: bool | None = None,
        late_on: date | None = None,
        sort: str = "-placed",
        after: str | None = None,
        limit: int = 50,
        min_position: int = 0,
    ) -> FoundPage[OrderSummaryView] | Behind:
        """
        Return a page of the orders that *search* finds, as `order_list.find` does.

        They have the events up to *min_position*; else Behind is returned. Raises
        BadCursor.
        """
        number = number_in(search)
        where = [
            *has_value("status", status),
            *has_value("customer_id", customer_id),
            *is_above_0("due", is_due),
            *is_above_0("credit", has_credit),
            *may_be_shipped(is_ready),
            *is_late(late_on),
        ]
        first = None if number is None else {"term": {"by_order_id": number}}
        asked = SearchQuestion(SearchTerms(search), where, first, sort, after, limit)
        return self.find(ORDERS, asked, min_position)

    def find_customers(
        self,
        search: str,
        *,
        sort: str = "name",
        after: str | None = None,
        limit: int = 50,
        min_position: int = 0,
    ) -> FoundPage[CustomerView] | Behind:
        """
        Return a page of the customers that *search* finds, as `customers.find` does.

        They have the events up to *min_position*; else Behind is returned. Raises
        BadCursor.
        """
        number = search.strip().lower()
        first = {"term": {"customer_id_small": number}}
        asked = SearchQuestion(SearchTerms(search), [], first, sort, after, limit)
        return self.find(CUSTOMERS, asked, min_position)

    def find(
        self, form: Form, asked: SearchQuestion, min_position: int
    ) -> FoundPage[Any] | Behind:
        """Return a page, once its rows have *min_position*."""
        search = Search(self.store, form, asked, self.seconds)
        page, checkpoint = search.page()
        if checkpoint.position < min_position:
            refreshes = self.refreshes[form.projection.name]
            if not refreshes.show(search, min_position):
                return Behind(checkpoint.position)
            page, checkpoint = search.page()
            if checkpoint.position < min_position:
                return Behind(checkpoint.position)
        try:
            found = search.with_similar(page)
        except StoreAway as error:
            # It has just answered: this search is too much for it.
            raise Unanswerable(self.store.name, error.because) from error
        return FoundPage(
            found, checkpoint.position, checkpoint.certified_at, checkpoint.parked
        )


def has_value(column: str, value: str | None) -> Sequence[Query]:
    return [] if value is None else [{"term": {f"by_{column}": value}}]


def is_above_0(column: str, is_so: bool | None) -> Sequence[Query]:
    """Return the query for rows with an amount, or for those without; None: for all."""
    if is_so is None:
        return []
    name = f"by_{column}"
    return [{"range": {name: {"gt": 0}}} if is_so else {"term": {name: 0}}]


def may_be_shipped(is_so: bool | None) -> Sequence[Query]:
    """Return the query for orders that may be shipped, or the others; None: for all."""
    if is_so is None:
        return []
    [paid] = has_value("status", Status.PAID.value)
    on_account = [
        *has_value("status", Status.PENDING.value),
        {"exists": {"field": "by_terms"}},
    ]
    ready = any_of([paid, all_of(on_account)])
    return [ready if is_so else {"bool": {"must_not": [ready]}}]


def is_late(day: date | None) -> Sequence[Query]:
    """Return the queries for orders that were needed before *day* and still wait."""
    if day is None:
        return []
    waiting = [status.value for status in Status if status.is_open]
    return [
        {"terms": {"by_status": waiting}},
        {"range": {"by_required_date": {"lt": day.isoformat()}}},
    ]


class Refreshes:
    """Has what was written come into view, ten times a second at most."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.last = float("-inf")

    def show(self, search: Search, position: int) -> bool:
        """Return whether the rows up to *position* may be in view now."""
        asked_at = time.monotonic()
        if not self.lock.acquire(timeout=max(search.seconds_left, 0)):
            return False
        try:
            if self.last > asked_at:
                # Another thread did it while this one waited.
                return True
            is_early = asked_at < self.last + SECONDS_BETWEEN_REFRESHES
            if is_early or search.written().position < position:
                return False
            self.last = time.monotonic()
            search.refresh()
            return True
        finally:
            self.lock.release()
