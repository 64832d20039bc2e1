"""Keys that come along with what they open: in the rows of `take`, beside `load`'s."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from eventstore.aggregates.history import LOADED, Past, gathered
from eventstore.personal.keyring import Along, StoredKey

# A command's key and its subject's own, as `take` writes them: the subject, then of
# each its id, by which master key it is wrapped, and what is wrapped, in hex.
_of_command = msgspec.json.Decoder(
    tuple[str, UUID, str | None, str | None, UUID | None, str | None, str | None]
)

# One statement sees one state: a key and what it opens are of the same moment.
_PASTS_AND_KEYS = f"""
    SELECT {LOADED}, NULL::uuid, NULL::bytea
    FROM public.load(%s::text[], %s::text[])
    UNION ALL
    SELECT
        'key', NULL, NULL, subject, NULL, NULL, NULL, NULL, master, NULL, id, wrapped
    FROM public.find_keys('{{}}'::uuid[], %s::text[])
"""


def read_pasts_and_keys(
    connection: psycopg.Connection[Any],
    stream_ids: Sequence[str],
    fingerprints: str,
    subjects: Sequence[str],
) -> tuple[dict[str, Past], Along]:
    """Return what `read_pasts` does and own keys of *subjects*, in one round trip."""
    rows = connection.execute(
        _PASTS_AND_KEYS, (stream_ids, fingerprints, subjects)
    ).fetchall()
    keys: list[StoredKey] = [
        (key_id, subject, True, master, wrapped)
        for kind, _, _, subject, *_, master, _, key_id, wrapped in rows
        if kind == "key"
    ]
    without = {*subjects} - {subject for _, subject, *_ in keys}
    pasts = gathered(stream_ids, rows)
    return pasts, Along(keys, without)


def keys_of_commands(texts: Iterable[str | None]) -> Along:
    """Return the keys to taken commands; *texts* are as `take` writes them."""
    keys: list[StoredKey] = []
    without = []
    for text in texts:
        if text is None:
            continue
        subject, key_id, master, wrapped, own_id, own_master, own = _of_command.decode(
            text
        )
        keys.append((key_id, subject, False, master, unhexed(wrapped)))
        if own_id is None:
            without.append(subject)
        else:
            keys.append((own_id, subject, True, own_master, unhexed(own)))
    return Along(keys, without)


def unhexed(wrapped: str | None) -> bytes | None:
    return None if wrapped is None else bytes.fromhex(wrapped)
