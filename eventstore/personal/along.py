"""Keys that come along with what they open: rows among those of `take` and `load`."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from eventstore.log.past import LOADED, Past, gathered
from eventstore.personal.keyring import Along

# One statement sees one state: a key and what it opens are of the same moment.
_PASTS_AND_KEYS = f"""
    SELECT {LOADED}, NULL::uuid AS ref
    FROM public.load(%s::text[], %s::text[])
    UNION ALL
    SELECT
        'key', NULL, NULL, subject, 1, NULL, NULL, NULL, master,
        encode(wrapped, 'hex'), id
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
    found = keys_among(rows)
    without = {*subjects} - {subject for _, subject, *_ in found.keys}
    return gathered(stream_ids, rows), found._replace(without=without)


def keys_among(rows: Iterable[Any]) -> Along:
    """Return the keys among *rows*, as `take` returns them."""
    keys, without = [], []
    for row in rows:
        if row[0] != "key":
            continue
        _, _, _, subject, is_own, _, _, _, master, wrapped, key_id = row
        if key_id is None:
            without.append(subject)
            continue
        opened = None if wrapped is None else bytes.fromhex(wrapped)
        keys.append((key_id, subject, bool(is_own), master, opened))
    return Along(keys, without)
