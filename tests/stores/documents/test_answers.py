"""The store of documents answers the API, and PostgreSQL where the store does not."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from eventstore.stores import registry
from eventstore.stores.writer import Writer
from readmodels.stores.documents.store import DocumentStore
from tasks.shop.connections import connect
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.stores.servers.server import GivenServer, Server
from tests.support.settings import settings_for
from tests.support.visiting import Place, ask
from tests.support.waiting import wait_until

BY_LINE = "/api/documents/orders?lines.product=RETRO-CLOCK&total.gte=1"


@pytest.fixture
def settings(database: str, documents_server: Server) -> Settings:
    return replace(settings_for(database), documents_url=documents_server.url)


@pytest.fixture
def writer(shop: Shop, settings: Settings) -> Iterator[Writer]:
    """What keeps the shop's documents up to date when it is given turns."""
    assert settings.documents_url is not None
    store = DocumentStore(settings.documents_url, shop.identity)
    session = connect(settings.database_url, "relay")
    assert registry.take_turn(session, store.name)
    yield Writer(store, session)
    for projection in store.projections:
        for name in store.find_copies(projection.name):
            store.drop_named(projection.name, name)
    with store.connection.answering() as database:
        database.drop_collection(store.names.shelves)
    store.close()
    session.close()
    if shop.stores.documents is not None:
        shop.stores.documents.queries.close()


def who_answers(client: FlaskClient, writer: Writer, path: str = BY_LINE) -> str:
    writer.turn()
    return client.get(path).headers["Recount-Store"]


def test_the_store_answers_what_postgresql_would(
    client: FlaskClient, place: Place, alice: str, writer: Writer
) -> None:
    place("shipped")
    place("pending")
    here = ask(client, BY_LINE)
    wait_until(lambda: who_answers(client, writer) == "documents", "the store answers")
    there = client.get(BY_LINE)

    assert there.get_json() == here
    assert there.headers["Recount-Position"] == str(here["position"])
    customers = "/api/documents/customers?name.prefix=Alice"
    wait_until(
        lambda: who_answers(client, writer, customers) == "documents",
        "the store answers for customers",
    )
    assert len(ask(client, customers)["customers"]) == 1
    assert client.get(f"{BY_LINE}&after=x").status_code == 400


def test_postgresql_answers_what_the_store_cannot(
    client: FlaskClient,
    place: Place,
    alice: str,
    writer: Writer,
    documents_server: Server,
) -> None:
    order_id = place("pending")
    wait_until(lambda: who_answers(client, writer) == "documents", "the store answers")

    def answering(path: str) -> str:
        response = client.get(path)
        found = [order["order_id"] for order in response.get_json()["orders"]]
        assert found == [order_id]
        return response.headers["Recount-Store"]

    assert answering(f"{BY_LINE}&min_position=1000000") == "primary"
    if DocumentStore(documents_server.url, "x").connection.is_ferretdb:
        one = "lines:a.product=RETRO-CLOCK&lines:a.quantity=2"
        assert answering(f"/api/documents/orders?{one}") == "primary"
    if isinstance(documents_server, GivenServer):
        return
    documents_server.pause()
    start = time.monotonic()
    assert answering(BY_LINE) == "primary"
    waited = time.monotonic() - start
    documents_server.resume()

    # Some tenths of a second, where no other work keeps the machine busy.
    assert waited < 3
