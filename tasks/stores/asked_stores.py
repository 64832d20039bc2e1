"""The stores that queries ask beside PostgreSQL, which answers where they do not."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

import psycopg
import sqlalchemy as sa

from eventstore.errors.stores import CopyMoved, StoreAway, Unanswerable
from tasks.broker.circuit_breaker import Breaker, State
from tasks.shop.settings import Settings

if TYPE_CHECKING:
    from readmodels.stores.documents.queries import Documents
    from readmodels.stores.hot.queries import HotRows
    from readmodels.stores.search.queries import Searches

Q = TypeVar("Q")
T = TypeVar("T")

MAX_REST = 5.0
"""Seconds between two attempts at a store that does not answer, at most."""

log = logging.getLogger(__name__)


@dataclass
class AskedStore(Generic[Q]):
    """
    A store that is asked, with a breaker that all processes share.

    *name* is what answers and logs call it. *make* returns its queries, and is called
    once a process, when something is asked.
    """

    name: str
    make: Callable[[], Q]
    breaker: Breaker = field(
        default_factory=lambda: Breaker(threshold=1, longest_rest=MAX_REST)
    )

    @cached_property
    def queries(self) -> Q:
        return self.make()

    def ask(self, question: Callable[[Q], T]) -> T | None:
        """Return what *question* returns for the queries, None if it is away."""
        try:
            queries = self.queries
        except (sa.exc.SQLAlchemyError, psycopg.Error, StoreAway):
            # The shop's own database has to say first which shop this is. The store
            # was not asked, so its breaker hears nothing.
            return None
        if not self.breaker.lets_through():
            return None
        try:
            answer = question(queries)
        except Unanswerable:
            # One question must not have the others asked elsewhere.
            self.breaker.succeeded()
            return None
        except (StoreAway, CopyMoved) as error:
            if self.breaker.state is State.CLOSED:
                log.warning("the store is left alone: %s", error)
            self.breaker.failed()
            return None
        except BaseException:
            # It has answered; what is wrong is ours.
            self.breaker.succeeded()
            raise
        if self.breaker.state is not State.CLOSED:
            log.info("the store %s answers", self.name)
        self.breaker.succeeded()
        return answer


@dataclass
class AskedStores:
    """The stores of the settings, each None where it is not named."""

    hot: AskedStore["HotRows"] | None = None
    search: AskedStore["Searches"] | None = None
    documents: AskedStore["Documents"] | None = None


def asked_stores(settings: Settings, identity: Callable[[], str]) -> AskedStores:
    """
    Return the stores of *settings*, without opening any: call it before the fork.

    *identity* returns the shop's, part of all names in the stores.
    """
    stores = AskedStores()
    if url := settings.cache_url:

        def hot() -> "HotRows":
            from readmodels.stores.hot.queries import HotRows
            from readmodels.stores.hot.store import HotStore

            return HotRows(HotStore(url, identity()))

        stores.hot = AskedStore("hot", hot)
    if search_url := settings.search_url:

        def search() -> "Searches":
            from readmodels.stores.search.queries import Searches
            from readmodels.stores.search.store import SearchStore

            return Searches(SearchStore(search_url, identity()))

        stores.search = AskedStore("search", search)
    if documents_url := settings.documents_url:

        def documents() -> "Documents":
            from readmodels.stores.documents.queries import Documents
            from readmodels.stores.documents.store import DocumentStore

            return Documents(DocumentStore(documents_url, identity()))

        stores.documents = AskedStore("documents", documents)
    return stores
