"""Writing many documents in one request, and what the answer says of each of them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from time import sleep as wait
from typing import Any

import msgspec

from eventstore.errors.stores import CopyMoved, StoreAway
from eventstore.projections.changes import RowChange
from eventstore.stores.row_store import Refusal
from readmodels.stores.search.client import (
    FULL,
    SECONDS_TO_WRITE,
    Fault,
    SearchClient,
    fault_in,
    told,
)
from readmodels.stores.search.forms import tombstone

BYTES_AT_ONCE = 5_000_000
MAX_ID = 512
"""The longest id of a document, in bytes."""
PAUSES = (0.05, 0.1, 0.2, 0.4)
"""Seconds before each further try of what a busy server sent back."""
BUSY = (429, 503)
OUTCOMES = "errors,items.*.status,items.*.error.type,items.*.error.reason"

Item = tuple[RowChange, bytes]
"""A change, and the JSON of its document."""


class Outcome(msgspec.Struct):
    """What became of one document: an HTTP *status*, and the *error* if any."""

    status: int
    error: Fault = Fault()


class Outcomes(msgspec.Struct):
    """The answer to a bulk: an outcome for each document, in their order."""

    items: list[dict[str, Outcome]] = []


class Bulk:
    """
    Writes documents into the index behind the alias *alias*, which is *copy*'s.

    *known* has the names of the fields that its mapping has.
    """

    def __init__(
        self, client: SearchClient, copy: str, alias: str, known: frozenset[str]
    ) -> None:
        self.client = client
        self.copy = copy
        self.alias = alias
        self.known = known

    def write(
        self, documents: Iterable[tuple[RowChange, dict[str, Any]]]
    ) -> list[Refusal]:
        """
        Put documents in, each unless a newer one is there; return which are refused.

        In the place of a refused one a mark is put, as for a deleted row. Raises
        CopyMoved, and StoreAway if the server stays busy, or is full.
        """
        refusals: list[Refusal] = []
        for batch in batches(self.encoded(documents)):
            refused = self.put(batch)
            refusals += refused
            at = {refusal.key for refusal in refused}
            marks = [(c, tombstone(c)) for c, _ in batch if c.key in at and fits(c)]
            if marks and (still := self.put(list(self.encoded(marks)))):
                raise StoreAway(self.client.store, still[0].error)
        return refusals

    def encoded(
        self, documents: Iterable[tuple[RowChange, dict[str, Any]]]
    ) -> Iterator[Item]:
        """Yield the JSON of each document, without fields that the index lacks."""
        for change, document in documents:
            kept = {n: v for n, v in document.items() if n in self.known}
            yield change, msgspec.json.encode(kept)

    def put(self, batch: Sequence[Item]) -> list[Refusal]:
        """Write a batch, what is sent back again after a pause."""
        refusals = [
            Refusal(change.key, change.change, f"its key has more than {MAX_ID} bytes")
            for change, _ in batch
            if not fits(change)
        ]
        left = [item for item in batch if fits(item[0])]
        pauses = iter(PAUSES)
        while left:
            left, because = self.try_once(left, refusals)
            if left:
                pause = next(pauses, None)
                if pause is None:
                    raise StoreAway(self.client.store, because)
                wait(pause)
        return refusals

    def try_once(
        self, batch: Sequence[Item], refusals: list[Refusal]
    ) -> tuple[list[Item], str]:
        """Write a batch; return what was sent back, and why. Refusals are added."""
        answer = self.client.ask(
            "POST",
            f"/{self.alias}/_bulk?require_alias=true&filter_path={OUTCOMES}",
            lines(batch),
            seconds=SECONDS_TO_WRITE,
            accepts=(404, *BUSY),
        )
        if answer.status in BUSY:
            if FULL.encode() in answer.body:
                raise self.client.refused(answer)
            return list(batch), told(answer.status, fault_in(answer).type)
        items = self.client.read(answer, Outcomes).items
        if answer.status == 404:
            raise CopyMoved(self.client.store, self.copy)
        if len(items) != len(batch):
            raise StoreAway(self.client.store, "its answer has an unknown form")
        again, because = [], ""
        for item, by_action in zip(batch, items, strict=True):
            [outcome] = by_action.values()
            if self.is_done(outcome, item[0], refusals):
                continue
            again.append(item)
            because = told(outcome.status, outcome.error.type)
        return again, because

    def is_done(
        self, outcome: Outcome, change: RowChange, refusals: list[Refusal]
    ) -> bool:
        """Return False for one to try again. Raises CopyMoved and StoreAway."""
        status, error = outcome.status, outcome.error
        if status < 300 or status == 409:
            # 409: a newer one is there.
            return True
        if error.type == FULL:
            # It looks like a busy server (429), and does not end by itself.
            raise StoreAway(self.client.store, told(status, FULL))
        if status == 404:
            raise CopyMoved(self.client.store, self.copy)
        if status == 400:
            refusals.append(Refusal(change.key, change.change, self.refused_for(error)))
            return True
        if status in BUSY:
            return False
        raise StoreAway(self.client.store, told(status, error.type))

    def refused_for(self, error: Fault) -> str:
        """Return why a document is refused: its reason may have a value of the row."""
        named = re.findall(r"\[([A-Za-z_.]+)\]", error.reason)
        field = next((name for name in named if name.split(".")[0] in self.known), None)
        return told(400, error.type) + (f", field {field}" if field else "")


def fits(change: RowChange) -> bool:
    return len(str(change.key).encode()) <= MAX_ID


def lines(batch: Sequence[Item]) -> Iterator[bytes]:
    """Yield the lines of a bulk: what to do with a document, and the document."""
    for change, document in batch:
        yield msgspec.json.encode(
            {
                "index": {
                    "_id": str(change.key),
                    "version": change.change,
                    "version_type": "external_gte",
                }
            }
        )
        yield document


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items, as many at once as one request may have."""
    batch: list[Item] = []
    size = 0
    for item in items:
        if batch and size + len(item[1]) > BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item[1])
    if batch:
        yield batch
