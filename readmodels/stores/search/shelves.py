"""Which copies there are, kept in an index of its own, and which of them answers."""

from collections.abc import Mapping
from typing import Any

import msgspec

from eventstore.errors.stores import CopyMoved, OutdatedWriter
from eventstore.stores.row_store import Shelf
from readmodels.stores.search.answers import StoredDocument
from readmodels.stores.search.client import SECONDS_TO_WRITE, SearchClient

SHOWN: Mapping[str, Any] = {"term": {"gone": False}}
"""What the alias of readers lets through: no marks of deleted rows."""

CREATED_MEANWHILE = 400


class Shelves:
    """
    The shelves of all read models of a shop; *prefix* begins the names of its indexes.

    The index has no value of a row.
    """

    def __init__(self, client: SearchClient, prefix: str) -> None:
        self.client = client
        self.prefix = prefix
        self.index = f"{prefix}-meta"
        self.alias = f"{prefix}-shelves"

    def find(self, read_model: str) -> tuple[int, Shelf] | None:
        """Return the term of the last writer, and the shelf."""
        answer = self.client.ask(
            "GET",
            f"/{self.index}/_doc/{read_model}",
            seconds=SECONDS_TO_WRITE,
            accepts=(404,),
        )
        if answer.status == 404:
            return None
        found = self.client.read(answer, StoredDocument)
        if found.source is None or found.source.shelf is None:
            return None
        return found.version, found.source.shelf

    def save(self, read_model: str, shelf: Shelf, term: int) -> None:
        """Store a shelf, and have its serving copy answer. Raises OutdatedWriter."""
        status = self.put(read_model, shelf, term)
        if status == 404:
            self.make()
            status = self.put(read_model, shelf, term)
        if status == 409:
            raise OutdatedWriter(self.client.store, read_model)
        if status == 404:
            raise CopyMoved(self.client.store, self.index)
        self.show(read_model, shelf)
        # An alias has no guard: another writer may have moved it between the two.
        found = self.find(read_model)
        if found is not None and found[0] > term:
            self.show(read_model, found[1])
            raise OutdatedWriter(self.client.store, read_model)

    def put(self, read_model: str, shelf: Shelf, term: int) -> int:
        """Store a shelf unless one of a greater term is there; return the status."""
        guard = f"version={term}&version_type=external_gte&require_alias=true"
        return self.client.ask(
            "PUT",
            f"/{self.alias}/_doc/{read_model}?{guard}",
            {"shelf": shelf},
            seconds=SECONDS_TO_WRITE,
            accepts=(404, 409),
        ).status

    def make(self) -> None:
        """Make the index, unless it is there."""
        self.client.ask(
            "PUT",
            f"/{self.index}",
            {
                "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1"},
                "mappings": {
                    "dynamic": "strict",
                    "properties": {"shelf": {"type": "object", "enabled": False}},
                },
                "aliases": {self.alias: {}},
            },
            seconds=SECONDS_TO_WRITE,
            accepts=(CREATED_MEANWHILE,),
        )

    def show(self, read_model: str, shelf: Shelf) -> None:
        """Have the alias of readers show the serving copy alone, or nothing."""
        alias, copy = f"{self.prefix}-{read_model}", shelf.serving
        wanted = None if copy is None else f"{self.prefix}-{copy.name()}"
        answer = self.client.ask(
            "GET", f"/_alias/{alias}", seconds=SECONDS_TO_WRITE, accepts=(404,)
        )
        shown: set[str] = set()
        if answer.status != 404:
            shown = set(self.client.read(answer, dict[str, msgspec.Raw]))
        actions: list[Mapping[str, Any]] = [
            {"remove": {"index": index, "alias": alias}} for index in shown - {wanted}
        ]
        if wanted is not None and wanted not in shown:
            added = {"index": wanted, "alias": alias, "filter": SHOWN}
            actions.append({"add": added})
        if not actions:
            return
        moved = self.client.ask(
            "POST",
            "/_aliases",
            {"actions": actions},
            seconds=SECONDS_TO_WRITE,
            accepts=(404,),
        )
        if moved.status == 404:
            raise CopyMoved(self.client.store, wanted or alias)
