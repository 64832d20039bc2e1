"""What the append writes and releases of claims, and how to ask whose they are."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg


class ClaimChange(NamedTuple):
    """
    A stream claims a value, or releases it, in the append of the events that say so.

    *command_id* is whose decision it is: a refusal names it.
    """

    scope: str
    keyed_hash: bytes
    stream_id: str
    command_id: UUID | None = None
    is_released: bool = False


def claims_argument(changes: Sequence[ClaimChange]) -> str | None:
    """
    Return *changes* as the function `append` takes them, or None where there are none.

    They take effect in the order of their commands, and those of one command, or of
    none, released before written: a value can go from one stream to another.
    """
    if not changes:
        return None
    turns = {c.command_id: turn for turn, c in reversed([*enumerate(changes)])}
    ordered = sorted(changes, key=lambda c: (turns[c.command_id], not c.is_released))
    return msgspec.json.encode(
        [
            {
                "scope": change.scope,
                "hash": change.keyed_hash.hex(),
                "stream_id": change.stream_id,
                "command_id": change.command_id,
                "is_released": change.is_released,
            }
            for change in ordered
        ]
    ).decode()


def find_claimed(
    connection: psycopg.Connection[Any],
    stream_id: str,
    keys: Sequence[tuple[str, bytes]],
) -> set[tuple[str, bytes]]:
    """Return those of *keys* (scope and hash) that other streams have claimed."""
    rows = connection.execute(
        "SELECT place FROM public.claimed(%s, %s::text[], %s::bytea[]) AS place",
        (stream_id, [scope for scope, _ in keys], [hashed for _, hashed in keys]),
    )
    return {keys[place - 1] for (place,) in rows}
