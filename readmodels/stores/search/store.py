"""
The search store as its writer uses it: an index for each copy of a read model.

Each document has the whole row, and what it is searched by. Documents are never
deleted, since a server remembers deletions for a minute only: deleted rows leave a
mark, which an alias hides. The copy's checkpoint is a document of the same index, so
that the two are lost, restored and seen together.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from eventstore.errors.stores import CopyMoved, StoreAway
from eventstore.projections.changes import RowChange
from eventstore.projections.projection import Key, Projection
from eventstore.stores.row_store import Checkpoint, Copy, Refusal, Shelf, StoredRow
from readmodels.stores.search.answers import (
    SearchAnswer,
    Several,
    StoredDocument,
    whole,
)
from readmodels.stores.search.bulk import Bulk
from readmodels.stores.search.client import SECONDS_TO_WRITE, Answer, SearchClient
from readmodels.stores.search.forms import CHECKPOINT, FORMS, SETTINGS, Form
from readmodels.stores.search.shelves import Shelves

ROWS_ONLY: Mapping[str, Any] = {
    "bool": {"must_not": [{"term": {"is_checkpoint": True}}]}
}


class SearchStore:
    """
    A `RowStore` in the server at *url*; several shops may share it.

    *shop* is the shop's identity: small letters, digits and dashes. The names of all
    its indexes have it.
    """

    name = "search"
    may_lack_rows = False

    def __init__(self, url: str, shop: str, forms: Sequence[Form] = FORMS) -> None:
        self.client = SearchClient(url, self.name)
        self.prefix = prefix_of(shop)
        self.forms = {form.projection.name: form for form in forms}
        self.projections: Sequence[Projection] = [form.projection for form in forms]
        self.shelves = Shelves(self.client, self.prefix)
        # What was found out about a copy; forgotten when the copy is not as expected.
        self.bulks: dict[str, Bulk] = {}
        self.checkpoints: dict[str, StoredDocument] = {}

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None, *others: int
    ) -> Answer:
        """Return an answer; *others* are further statuses that are none to raise."""
        return self.client.ask(
            method, path, body, seconds=SECONDS_TO_WRITE, accepts=others
        )

    def index_of(self, copy: Copy) -> str:
        return f"{self.prefix}-{copy.name()}"

    def alias_of(self, copy: Copy) -> str:
        """Return the alias by which a copy is written: no index is made by a write."""
        return f"{self.index_of(copy)}-rows"

    def shape_of(self, projection: Projection) -> str:
        return self.forms[projection.name].shape

    def load_shelf(self, read_model: str) -> Shelf | None:
        found = self.shelves.find(read_model)
        return None if found is None else found[1]

    def save_shelf(self, read_model: str, shelf: Shelf, term: int) -> None:
        self.shelves.save(read_model, shelf, term)

    def make(self, copy: Copy) -> None:
        self.ask(
            "PUT",
            f"/{self.index_of(copy)}",
            {
                "settings": SETTINGS,
                "mappings": self.forms[copy.read_model].mapping,
                "aliases": {self.alias_of(copy): {}},
            },
        )
        # In view at once: readers take an index without it for one that lost its rows.
        flags = "require_alias=true&refresh=true"
        path = f"/{self.alias_of(copy)}/_create/{CHECKPOINT}?{flags}"
        self.ask("PUT", path, document_of(Checkpoint()))

    def drop(self, copy: Copy) -> None:
        self.drop_named(copy.read_model, copy.name())

    def drop_named(self, read_model: str, name: str) -> None:
        self.forget(name)
        self.ask("DELETE", f"/{self.prefix}-{name}", None, 404)

    def find_copies(self, read_model: str) -> Sequence[str]:
        path = f"/{self.prefix}-{read_model}_*/_settings"
        found = self.client.read(self.ask("GET", path, None), dict[str, msgspec.Raw])
        names = [index.removeprefix(f"{self.prefix}-") for index in found]
        of_copy = re.compile(f"{read_model}_[0-9a-f]{{8}}_g[0-9]+_[0-9]+")
        return [name for name in names if of_copy.fullmatch(name)]

    def write(
        self, copy: Copy, changes: Sequence[RowChange], newest: int
    ) -> Sequence[Refusal]:
        form = self.forms[copy.read_model]
        try:
            bulk = self.bulk_of(copy)
            return bulk.write((change, form.document(change)) for change in changes)
        except CopyMoved:
            self.forget(copy.name())
            raise

    def bulk_of(self, copy: Copy) -> Bulk:
        """Return what writes a copy: of another form, it has other fields."""
        name = copy.name()
        if name not in self.bulks:
            index = self.index_of(copy)
            answer = self.ask("GET", f"/{index}/_mapping", None, 404)
            if answer.status == 404:
                raise CopyMoved(self.name, name)
            found = self.client.read(answer, dict[str, dict[str, dict[str, Any]]])
            known = frozenset(found[index]["mappings"]["properties"])
            self.bulks[name] = Bulk(self.client, name, self.alias_of(copy), known)
        return self.bulks[name]

    def forget(self, name: str) -> None:
        self.bulks.pop(name, None)
        self.checkpoints.pop(name, None)

    def load_checkpoint(self, copy: Copy) -> Checkpoint | None:
        self.checkpoints.pop(copy.name(), None)
        path = f"/{self.index_of(copy)}/_doc/{CHECKPOINT}"
        answer = self.ask("GET", path, None, 404)
        if answer.status == 404:
            return None
        found = self.client.read(answer, StoredDocument)
        if found.source is None:
            return None
        self.checkpoints[copy.name()] = found
        return found.source.checkpoint

    def save_checkpoint(
        self, copy: Copy, checkpoint: Checkpoint, known: Checkpoint
    ) -> None:
        name = copy.name()
        if name not in self.checkpoints:
            self.load_checkpoint(copy)
        found = self.checkpoints.pop(name, None)
        if found is None or found.source is None or found.source.checkpoint != known:
            raise CopyMoved(self.name, name)
        place = f"if_seq_no={found.sequence}&if_primary_term={found.primary}"
        answer = self.ask(
            "PUT",
            f"/{self.alias_of(copy)}/_doc/{CHECKPOINT}?require_alias=true&{place}",
            document_of(checkpoint),
            *(404, 409),
        )
        if answer.status in (404, 409):
            self.forget(name)
            raise CopyMoved(self.name, name)
        written = self.client.read(answer, StoredDocument)
        found.source.checkpoint = checkpoint
        found.sequence, found.primary = written.sequence, written.primary
        self.checkpoints[name] = found

    def read(self, copy: Copy, keys: Sequence[Key]) -> Mapping[Key, StoredRow]:
        if not keys:
            return {}
        form = self.forms[copy.read_model]
        path = f"/{self.index_of(copy)}/_mget?_source_includes=change,row"
        answer = self.ask("POST", path, {"ids": [str(key) for key in keys]}, 404)
        if answer.status == 404:
            raise CopyMoved(self.name, copy.name())
        found = self.client.read(answer, Several).docs
        if any(one.error is not None for one in found):
            raise self.cannot_read(copy)
        return {
            form.key_from(one.id): StoredRow(kept.change, form.row(kept.row))
            for one in found
            if (kept := one.source) is not None
        }

    def cannot_read(self, copy: Copy) -> StoreAway | CopyMoved:
        """Return the error for documents that cannot be read by their ids."""
        if self.ask("HEAD", f"/{self.index_of(copy)}", None, 404).status == 404:
            return CopyMoved(self.name, copy.name())
        return StoreAway(self.name, "a part of its index does not answer")

    def count(self, copy: Copy) -> int:
        self.refresh(copy)
        return self.search(copy, "_count", {"query": ROWS_ONLY}).count

    def keys_behind(self, copy: Copy, key: Key | None, limit: int) -> Sequence[Key]:
        asked: dict[str, Any] = {
            "query": ROWS_ONLY,
            "size": limit,
            "sort": ["key"],
            "_source": False,
        }
        if key is None:
            self.refresh(copy)
        else:
            asked["search_after"] = [str(key)]
        form = self.forms[copy.read_model]
        found = self.search(copy, "_search", asked).hits.hits
        return [form.key_from(one.id) for one in found]

    def search(self, copy: Copy, what: str, asked: Mapping[str, Any]) -> SearchAnswer:
        path = f"/{self.index_of(copy)}/{what}"
        answer = self.ask("POST", path, asked, 404)
        if answer.status == 404:
            raise CopyMoved(self.name, copy.name())
        return whole(self.client, answer)

    def refresh(self, copy: Copy) -> None:
        """Have all that was written be found by searches."""
        path = f"/{self.index_of(copy)}/_refresh"
        if self.ask("POST", path, None, 404).status == 404:
            raise CopyMoved(self.name, copy.name())

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def prefix_of(shop: str) -> str:
    """Return what the names of all indexes of a shop begin with, by its identity."""
    return f"recount-{shop}"


def document_of(checkpoint: Checkpoint) -> Mapping[str, Any]:
    return {"is_checkpoint": True, "gone": False, "checkpoint": checkpoint}
