"""The store and the read models that a command is about."""

import click

from eventstore.stores.row_store import RowStore
from tasks.shop.wiring import shop
from tasks.stores.row_stores import row_stores


def store_called(name: str) -> RowStore:
    """Return the store. Raises the error that it is not named by the settings."""
    found = {
        store.name: store for store in row_stores(shop().settings, shop().identity)
    }
    if name not in found:
        known = ", ".join(found) or "none"
        raise click.UsageError(f"There is no store {name}. The settings name: {known}.")
    return found[name]


def names_of(store: RowStore, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the read models that are meant. Raises the error that one is not there."""
    known = [projection.name for projection in store.projections]
    for name in names:
        if name not in known:
            raise click.UsageError(
                f"{store.name} has no read model {name}; it has {', '.join(known)}."
            )
    return names or tuple(known)
