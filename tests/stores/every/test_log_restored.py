"""The shop's log comes back as it was earlier: each store has rows of lost events."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from domain.customers.commands import RegisterCustomer
from eventstore.projections.changes import ChangesCursor, read_changes
from eventstore.projections.projection import Projection
from eventstore.stores import mover
from eventstore.stores.comparison import compare
from tasks.shop.wiring import Shop
from tests.stores.every.conftest import Kit
from tests.support.databases import Databases
from tests.support.desk import Do, alice, bob, place, rename
from tests.support.fed_store import settle, written
from tests.support.waiting import wait_until

pytestmark = pytest.mark.stores

LOST = RegisterCustomer(customer_id="LOST", name="Leopold Lostname")
OF_THE_LOST = (
    *("customers", "figures", "order_details", "order_list", "sales", "sold_lines"),
    "ordered_products",
)
"""Read models whose copies have read lost events; others go on."""
ADDRESSES = {
    "hot": "/api/customers/LOST",
    "search": "/api/customers?q=lostname",
    "documents": "/api/documents/customers?customer_id=LOST",
    "postgres": "/api/customers/LOST",
}


@pytest.fixture
def saved(followed: Shop, databases: Databases, do: Do) -> Iterator[str]:
    """The name of a copy of the shop's database, with one customer."""
    shop = followed
    do(alice)
    name = database_of(shop)
    kept = f"{name}_kept"
    with alone(shop, databases) as connection:
        connection.execute(sa.text(f"CREATE DATABASE {kept} TEMPLATE {name}"))
    yield kept
    databases.drop(kept)


def database_of(shop: Shop) -> str:
    return sa.make_url(shop.settings.database_url).database or ""


@contextmanager
def alone(shop: Shop, databases: Databases) -> Iterator[sa.Connection]:
    """Lend a session of the server while nobody uses the shop's database."""
    shop.close()
    with databases.engine.connect() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = :name AND pid <> pg_backend_pid()"
            ),
            {"name": database_of(shop)},
        )
        yield connection


def restore(shop: Shop, databases: Databases, kept: str) -> None:
    """Put the copy that was kept in the place of the shop's database."""
    name = database_of(shop)
    with alone(shop, databases) as connection:
        connection.execute(sa.text(f"DROP DATABASE {name}"))
        connection.execute(sa.text(f"ALTER DATABASE {kept} RENAME TO {name}"))


def shows_the_lost(client: FlaskClient, kit: Kit) -> bool:
    """
    Whether the store gives the answer, and has the customer in it.

    The first answer may take it too long, and a search server shows a row up to a
    second after it was written.
    """
    answer = client.get(ADDRESSES[kit.name])
    return answer.headers["Recount-Store"] == kit.name and "Lostname" in answer.text


def customers_in(kit: Kit) -> Projection:
    """The read model that has the customer who is lost."""
    return next(one for one in kit.store.projections if one.name == "customers")


def test_no_row_of_a_lost_event_is_served_once_the_writer_has_looked(
    followed: Shop, kit: Kit, saved: str, databases: Databases, do: Do, app: Flask
) -> None:
    shop = followed
    client = app.test_client()
    with written(shop, kit.store) as writer:
        # A cache has what changes from here on.
        settle(writer)
        do(LOST, place)
        settle(writer)
        before = {one.name: kit.serving(one) for one in kit.store.projections}
    wait_until(lambda: shows_the_lost(client, kit), "the store shows the customer")

    restore(shop, databases, saved)
    do(bob, rename)
    with written(shop, kit.store) as writer:
        writer.turn()
        looked = kit.open()
        for projection in kit.store.projections:
            shelf = looked.load_shelf(projection.name)
            assert shelf is not None
            is_lost = projection.name in OF_THE_LOST
            assert (before[projection.name] in shelf.copies) is not is_lost
        assert "Lostname" not in client.get(ADDRESSES[kit.name]).text
        for _ in range(20):
            writer.turn()
            assert "Lostname" not in client.get(ADDRESSES[kit.name]).text
        settle(writer)

    with shop.lent() as connection:
        for projection in kit.store.projections:
            copy = kit.serving(projection)
            assert copy.epoch == before[projection.name].epoch
            found = compare(connection, kit.store, projection, copy, is_full=True)
            assert found.differences == []
            assert kit.store.find_copies(projection.name) == [copy.name()]
    assert "Lostname" not in client.get(ADDRESSES[kit.name]).text


def test_without_the_look_at_the_log_a_row_of_a_lost_event_stays(
    followed: Shop,
    kit: Kit,
    saved: str,
    databases: Databases,
    do: Do,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the test above finds: the check is switched off here."""
    shop = followed
    with written(shop, kit.store) as writer:
        # A cache has what changes from here on.
        settle(writer)
        do(LOST, place)
        settle(writer)
    restore(shop, databases, saved)
    do(bob, rename)

    def read_unchecked(
        connection: Any,
        projection: Projection,
        after: ChangesCursor | None,
        *,
        limit: int,
    ) -> Any:
        if after is not None:
            after = after._replace(position=0, event_id=None)
        return read_changes(connection, projection, after, limit=limit)

    monkeypatch.setattr(mover, "read_changes", read_unchecked)
    with written(shop, kit.store) as writer:
        settle(writer)
    customers = customers_in(kit)
    assert kit.rows(customers, ["LOST"])["LOST"].row is not None
    with shop.lent() as connection:
        found = compare(
            connection, kit.store, customers, kit.serving(customers), is_full=True
        )
    assert "customers LOST: not in PostgreSQL" in found.differences
