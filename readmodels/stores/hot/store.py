"""
Rows in Redis or Valkey, which may evict any key at any time.

A copy is one field of the read model's meta key for its checkpoint, one for its floor,
and one key for each row that was read or changed lately. It is never filled: it begins
empty, with the checkpoint at the end of the changes. A whole read model may be larger
than the memory, and what nobody reads is of no use there. Rows come by their changes,
from the feeder, and from readers who did not find one and read it from PostgreSQL.

How an old row is kept out. Each row has the number of its last change, and nothing
replaces a row by one with a lower number. But an evicted row has no number left; a
writer that was paused, or a slow reader, could bring back what was there before. So a
copy has a floor: the highest change of all rows that were ever put in it, and of its
checkpoints. It is raised in the same step as a row is written. With a row comes
*newest*, the last change that there was when the row was read. Then

- an absent row is taken if *newest* is not below the floor. It has all of its changes
  up to *newest*, so it is not older than anything that was there, since that is not
  above the floor; and it has all changes up to the checkpoint, which is not above it
  either, so that the checkpoint's position holds for it.
- a row that is there is replaced by one with the same number or a higher one, whatever
  the floor is. What is there is not older than anything before it, by the rule above,
  so neither is the new one. If the floor were asked here, the feeder's row could be
  refused because a reader had put a later row of another order in, and the old one
  would stay although the checkpoint goes on.
- what is refused although it is newer is absent, and a reader finds it in PostgreSQL.

Numbers are in the order of commits, and *newest* is of the row's own snapshot: also
when that is a streaming replica's. If the server comes back with an older state, from
its files or as a replica that was promoted, then rows, floor and checkpoint are of the
same earlier moment, and the changes since come again.

Meta is one key for all copies of a read model: whatever evicts it takes all of them,
and the feeder begins another copy. Rows live for a day after they were written, so that
those of copies that nobody drops go by themselves.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from eventstore.errors.stores import CopyMoved, OutdatedWriter
from eventstore.projections import generations
from eventstore.projections.changes import RowChange
from eventstore.projections.column import column_of
from eventstore.projections.projection import Key, Projection
from eventstore.stores.row_store import Checkpoint, Copy, Refusal, Shelf, StoredRow
from readmodels import customers, order_details
from readmodels.stores.hot.connection import CacheConnection
from readmodels.stores.hot.names import Names
from readmodels.stores.hot.scripts import (
    SAVE_CHECKPOINT,
    SAVE_SHELF,
    WRITE,
    padded,
)
from readmodels.stores.hot.values import FORM, read_row, read_value, write_value

NAME = "hot"
PROJECTIONS = (order_details.projection, customers.projection)
SECONDS_TO_LIVE = 86_400
MAX_BYTES = 1_048_576
"""Of one row: a longer one would hold up all others."""
MAX_BYTES_AT_ONCE = 262_144
"""After so many a script has enough: while it runs, nobody else is answered."""
ROWS_AT_ONCE = 200
KEYS_AT_ONCE = 1_000
"""Keys that a step of a walk looks at."""

_to_json = msgspec.json.Encoder().encode
_shelf = msgspec.json.Decoder(Shelf)
_checkpoint = msgspec.json.Decoder(Checkpoint)


class HotStore:
    """
    A cache of single rows, as `RowStore` describes it.

    *url* is one of the `SCHEMES` of a connection; raises ValueError for another.
    *prefix* begins the names of all keys: that of a shop, where several share a server.
    """

    name = NAME
    may_lack_rows = True

    def __init__(
        self,
        url: str,
        prefix: str,
        projections: Sequence[Projection] = PROJECTIONS,
        *,
        seconds_to_live: float = SECONDS_TO_LIVE,
    ) -> None:
        self.connection = CacheConnection(self.name, url)
        self.names = Names(prefix)
        self.projections = projections
        self.milliseconds_to_live = max(int(seconds_to_live * 1_000), 1)
        self.of_name = {projection.name: projection for projection in projections}
        # The walk that was begun, behind which key it stands, and of which copy.
        self.walk: tuple[Copy, Key, Iterator[Sequence[Key]]] | None = None

    def close(self) -> None:
        self.connection.close()

    def shape_of(self, projection: Projection) -> str:
        return f"{FORM}-{generations.shape_of(projection)}"

    def load_shelf(self, read_model: str) -> Shelf | None:
        with self.connection.answering() as client:
            found = client.hget(self.names.meta(read_model), "shelf")
        return None if found is None else _shelf.decode(found)

    def save_shelf(self, read_model: str, shelf: Shelf, term: int) -> None:
        serving = b"" if shelf.serving is None else _to_json(shelf.serving)
        is_stored = self.connection.run(
            SAVE_SHELF,
            [self.names.meta(read_model)],
            [padded(term), _to_json(shelf), serving],
        )
        if not is_stored:
            raise OutdatedWriter(self.name, read_model)

    def make(self, copy: Copy) -> None:
        with self.connection.answering() as client:
            client.hset(
                self.names.meta(copy.read_model),
                mapping={
                    f"floor {copy.name()}": padded(0),
                    f"checkpoint {copy.name()}": _to_json(Checkpoint()),
                },
            )

    def drop(self, copy: Copy) -> None:
        self.drop_named(copy.read_model, copy.name())

    def drop_named(self, read_model: str, name: str) -> None:
        with self.connection.answering() as client:
            # First what lets rows in.
            client.hdel(
                self.names.meta(read_model), f"floor {name}", f"checkpoint {name}"
            )
        for keys in self.scan(self.names.rows_of(name)):
            with self.connection.answering() as client:
                client.unlink(*keys)

    def find_copies(self, read_model: str) -> Sequence[str]:
        """
        Return the names of all copies, those whose meta key was evicted among them.

        It walks through all keys of the server.
        """
        with self.connection.answering() as client:
            fields = client.hkeys(self.names.meta(read_model))
        found = {
            field.decode().partition(" ")[2]
            for field in fields
            if field.startswith((b"floor ", b"checkpoint "))
        }
        for keys in self.scan(self.names.copies_of(read_model)):
            found.update(self.names.find_copies(read_model, keys))
        return sorted(found)

    def scan(self, pattern: str) -> Iterator[list[bytes]]:
        """Yield the keys that match, some twice; all that are there from first on."""
        place = 0
        while True:
            with self.connection.answering() as client:
                place, keys = client.scan(place, match=pattern, count=KEYS_AT_ONCE)
            if keys:
                yield keys
            if not place:
                return

    def write(
        self, copy: Copy, changes: Sequence[RowChange], newest: int
    ) -> Sequence[Refusal]:
        """Put rows in as `RowStore` says; the module says which are refused."""
        refusals, values = [], []
        for change in changes:
            value = write_value(change)
            if len(value) > MAX_BYTES:
                reason = f"the row has {len(value):,} bytes, and {MAX_BYTES:,} may be"
                refusals.append(Refusal(change.key, change.change, reason))
                value = write_value(change._replace(row=None))
            values.append((change, value))
        for some in in_batches(values):
            self.write_some(copy, some, newest)
        return refusals

    def write_some(
        self, copy: Copy, values: Sequence[tuple[RowChange, bytes]], newest: int
    ) -> None:
        name = copy.name()
        keys = [self.names.meta(copy.read_model)]
        arguments = [name, padded(newest), self.milliseconds_to_live]
        for change, value in values:
            keys.append(self.names.row(name, change.key))
            arguments += [padded(change.change), value]
        if self.connection.run(WRITE, keys, arguments) < 0:
            raise CopyMoved(self.name, name)

    def load_checkpoint(self, copy: Copy) -> Checkpoint | None:
        found = self.written_checkpoint(copy)
        return None if found is None else _checkpoint.decode(found)

    def written_checkpoint(self, copy: Copy) -> bytes | None:
        """Return the checkpoint as it is written there, None if the copy is not."""
        name = copy.name()
        with self.connection.answering() as client:
            floor, found = client.hmget(
                self.names.meta(copy.read_model), f"floor {name}", f"checkpoint {name}"
            )
        return None if floor is None else found

    def save_checkpoint(
        self, copy: Copy, checkpoint: Checkpoint, known: Checkpoint
    ) -> None:
        # Texts are compared there, and other code may have written another text.
        written = self.written_checkpoint(copy)
        if written is None or _checkpoint.decode(written) != known:
            raise CopyMoved(self.name, copy.name())
        is_stored = self.connection.run(
            SAVE_CHECKPOINT,
            [self.names.meta(copy.read_model)],
            [copy.name(), written, _to_json(checkpoint), padded(checkpoint.change)],
        )
        if not is_stored:
            raise CopyMoved(self.name, copy.name())

    def read(self, copy: Copy, keys: Sequence[Key]) -> Mapping[Key, StoredRow]:
        if not keys:
            return {}
        row = self.of_name[copy.read_model].row
        found: dict[Key, StoredRow] = {}
        for start in range(0, len(keys), ROWS_AT_ONCE):
            some = keys[start : start + ROWS_AT_ONCE]
            names = [self.names.row(copy.name(), key) for key in some]
            with self.connection.answering() as client:
                values = client.mget(names)
            for key, value in zip(some, values, strict=True):
                if value is not None:
                    stored = read_value(value)
                    json = stored.json
                    found[key] = StoredRow(
                        stored.change, read_row(json, row) if json else None
                    )
        return found

    def count(self, copy: Copy) -> int:
        """Return how many rows are there now; it walks through all keys."""
        return sum(
            len(set(keys)) for keys in self.scan(self.names.rows_of(copy.name()))
        )

    def keys_behind(self, copy: Copy, key: Key | None, limit: int) -> Sequence[Key]:
        """
        Return the next keys of a walk, None: the first ones; some come twice.

        One walk at a time: raises ValueError for a *key* that did not end the last
        answer.
        """
        if key is None:
            self.walk = (copy, "", self.find_keys(copy, limit))
        elif self.walk is None or self.walk[:2] != (copy, key):
            raise ValueError("the walk through these keys was not begun")
        assert self.walk is not None
        steps = self.walk[2]
        keys = next(steps, ())
        self.walk = (copy, keys[-1], steps) if keys else None
        return keys

    def find_keys(self, copy: Copy, limit: int) -> Iterator[Sequence[Key]]:
        projection = self.of_name[copy.read_model]
        is_number = column_of(projection.row, projection.key).kind == "bigint"
        begin = self.names.row(copy.name(), "")
        waiting: list[Key] = []
        for found in self.scan(self.names.rows_of(copy.name())):
            texts = [name.decode().removeprefix(begin) for name in found]
            waiting += map(int, texts) if is_number else texts
            while len(waiting) >= limit:
                yield waiting[:limit]
                del waiting[:limit]
        if waiting:
            yield waiting


def in_batches(
    values: Sequence[tuple[RowChange, bytes]],
) -> Iterator[Sequence[tuple[RowChange, bytes]]]:
    """Yield *values* in runs that one script may write."""
    batch: list[tuple[RowChange, bytes]] = []
    size = 0
    for one in values:
        if batch and (
            len(batch) >= ROWS_AT_ONCE or size + len(one[1]) > MAX_BYTES_AT_ONCE
        ):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one[1])
    if batch:
        yield batch
