"""The connection to MongoDB or FerretDB: short patience, and one kind of error."""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

import pymongo
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.write_concern import WriteConcern

from eventstore.errors.stores import StoreAway

SCHEMES = ("mongodb", "mongodb+srv")
DATABASE = "recount"
"""The database of a URL that names none."""

Document = dict[str, Any]


class MongoConnection:
    """
    A client that is made when it is first used: by then a server has forked.

    *name* is that of the store, *url* begins with one of `SCHEMES`; raises ValueError
    for another. *seconds* is how long a question may take, with connecting. All threads
    of a process may use it.
    """

    def __init__(self, name: str, url: str, *, seconds: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            raise ValueError(f"a store of documents has a URL of {', '.join(SCHEMES)}")
        self.name = name
        self.url = url
        self.seconds = seconds
        self.database_name = unquote(parts.path.strip("/")) or DATABASE

    @cached_property
    def database(self) -> Database[Document]:
        """The database; errors of its client become StoreAway within `answering`."""
        client: pymongo.MongoClient[Document] = pymongo.MongoClient(
            self.url,
            timeoutMS=int(self.seconds * 1_000),
            retryReads=False,
            retryWrites=False,
            appname="recount",
        )
        # Its threads go on until it is closed, whoever forgets to.
        weakref.finalize(self, client.close)
        # What is acknowledged is on the disks of most servers, and stays there.
        durable = WriteConcern("majority", j=True)
        return client.get_database(self.database_name, write_concern=durable)

    @cached_property
    def is_ferretdb(self) -> bool:
        """Whether the server is FerretDB, which takes less. Raises StoreAway."""
        with self.answering() as database:
            return "ferretdb" in str(database.command("buildInfo")).lower()

    @contextmanager
    def answering(self) -> Iterator[Database[Document]]:
        """Lend the database for one question; its errors are raised as StoreAway."""
        try:
            with pymongo.timeout(self.seconds):
                yield self.database
        except PyMongoError as error:
            raise StoreAway(self.name, describe(error)) from error

    @contextmanager
    def collection(self, name: str) -> Iterator[Collection[Document]]:
        """Lend a collection, as `answering` does."""
        with self.answering() as database:
            yield database[name]

    def close(self) -> None:
        if "database" in vars(self):
            self.database.client.close()
            del self.database


def describe(error: PyMongoError) -> str:
    """Return what went wrong, without the values that some messages repeat."""
    kind = type(error).__name__
    if isinstance(error, OperationFailure) and error.code is not None:
        return f"{kind} ({error.code})"
    return kind
