"""A store of documents on a real server, with names that no other test has."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from eventstore.projections.changes import RowChange
from eventstore.stores.row_store import Copy, Shelf
from readmodels.stores.documents.document_types import DocumentType
from readmodels.stores.documents.queries import Documents
from readmodels.stores.documents.store import DocumentStore
from tests.stores.servers.server import Server

SECONDS = 20.0
"""For a question: FerretDB reads all documents, on a busy machine."""


@pytest.fixture
def store(documents_server: Server) -> Iterator[DocumentStore]:
    store = DocumentStore(documents_server.url, f"test-{uuid4().hex[:12]}")
    yield store
    documents_server.ensure_running()
    with store.connection.answering() as database:
        for name in database.list_collection_names():
            if name.startswith(f"{store.names.prefix}."):
                database.drop_collection(name)
    store.close()


@pytest.fixture
def documents(store: DocumentStore) -> Iterator[Documents]:
    documents = Documents(store, seconds=SECONDS)
    yield documents
    documents.close()


def make_copy(store: DocumentStore, of: DocumentType, number: int = 1) -> Copy:
    """Make an empty copy and put it in place."""
    copy = Copy(
        read_model=of.projection.name,
        epoch=str(uuid4()),
        generation=1,
        shape=store.shape_of(of.projection),
        number=number,
    )
    store.make(copy)
    store.save_shelf(copy.read_model, Shelf(serving=copy), term=number)
    return copy


def changed(row: object, change: int, of: DocumentType) -> RowChange:
    """Return the change that brings *row*."""
    return RowChange(getattr(row, of.projection.key), change, change, row)
