"""
Claims: values that one stream at a time may have, such as a customer's e-mail address.

A decider returns the claims of a state. Claims that a decision adds or releases are
written by the append of its events.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec
import psycopg


class ClaimChange(NamedTuple):
    """
    A stream claims a value, or releases it, in the append of the events that say so.

    *command_id* is that of the command that decided it; a refusal names it.
    """

    scope: str
    keyed_hash: bytes
    stream_id: str
    command_id: UUID | None = None
    is_released: bool = False


def claims_argument(changes: Sequence[ClaimChange]) -> str | None:
    """
    Return *changes* as the function `append` takes them, or None if there are none.

    They take effect in the order of their commands, releases of a command before its
    claims: so a value can go from one stream to another.
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


class Claim(Protocol):
    """A claim of a state: a value that only one stream at a time may have."""

    @property
    def scope(self) -> str:
        """The name of the kind of value, within which it is unique, like `email`."""

    @property
    def value(self) -> str:
        """The value, as text; it is stored as a hash alone."""

    @property
    def taken(self) -> type[Exception]:
        """The rejection of a command that claims another stream's value."""


class Change(NamedTuple):
    """A claim that a decision adds, or releases."""

    claim: Claim
    is_released: bool = False


def no_claims(state: Any) -> Iterable[Claim]:
    """The default of `claims`: nothing."""
    return ()


def changes_between(before: Iterable[Claim], after: Iterable[Claim]) -> list[Change]:
    """Return the differences between the claims of two states."""
    old = {(claim.scope, claim.value): claim for claim in before}
    new = {(claim.scope, claim.value): claim for claim in after}
    return [
        *(Change(old[key], is_released=True) for key in old if key not in new),
        *(Change(claim) for key, claim in new.items() if key not in old),
    ]


class ClaimKey:
    """
    The key by which claimed values are hashed.

    It is made of the application's *secret*: without it, values in a copy of the
    database cannot be guessed by trying. Another secret makes other hashes. Raises
    ValueError for an empty one.
    """

    def __init__(self, secret: bytes) -> None:
        if not secret:
            raise ValueError("claims are hashed with a secret: this one is empty")
        self._key = hmac.digest(secret, b"unique claims", hashlib.sha256)

    def hash_of(self, claim: Claim) -> bytes:
        """Return the HMAC-SHA-256 of a claim's scope and value: 32 bytes."""
        content = f"{len(claim.scope)}:{claim.scope}{claim.value}"
        # A lone surrogate is hashed, too: claims are not validated here.
        return hmac.digest(
            self._key, content.encode(errors="surrogatepass"), hashlib.sha256
        )

    def hashed(
        self, changes: Iterable[Change], stream_id: str, command_id: UUID | None = None
    ) -> list[ClaimChange]:
        """Return *changes* of a stream's claims as `append` takes them."""
        return [
            ClaimChange(
                scope=change.claim.scope,
                keyed_hash=self.hash_of(change.claim),
                stream_id=stream_id,
                command_id=command_id,
                is_released=change.is_released,
            )
            for change in changes
        ]
