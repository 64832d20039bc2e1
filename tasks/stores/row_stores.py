"""The stores that the settings name, each with the read models that it has."""

from collections.abc import Iterator

from eventstore.stores.row_store import RowStore
from tasks.shop.settings import Settings


def row_stores(settings: Settings, identity: str) -> Iterator[RowStore]:
    """
    Yield the stores of *settings* that are written by changes of rows.

    *identity* is the shop's, part of all names in the stores. Clients are imported for
    stores that are named alone, and connect when they are first used: after a fork.
    """
    if settings.cache_url:
        from readmodels.stores.hot.store import HotStore

        yield HotStore(settings.cache_url, identity)
    if settings.search_url:
        from readmodels.stores.search.store import SearchStore

        yield SearchStore(settings.search_url, identity)
    if settings.documents_url:
        from readmodels.stores.documents.store import DocumentStore

        yield DocumentStore(settings.documents_url, identity)
    if settings.read_database_url:
        from readmodels.stores.postgres.store import PostgresStore

        yield PostgresStore(settings.read_database_url, identity)
