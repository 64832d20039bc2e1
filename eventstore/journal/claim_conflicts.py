"""Claims in a drain: only a command that claims another stream's value is rejected."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.claims import Change, Claim, find_claimed
from eventstore.errors import AlreadyClaimed

Key = tuple[str, bytes]
"""Scope and hash of a claim, as the database has them."""


@dataclass(slots=True)
class ClaimConflicts:
    """
    The known claims of other streams.

    They are looked up only after an append was refused for a claim, which is rare. From
    then on each command's claims are checked before the append, so that any number of
    conflicts costs few round trips.
    """

    connection: psycopg.Connection[Any]
    deciders: Deciders
    stream_id: str
    refusals: int = 0
    known: dict[Key, bool] = field(default_factory=dict)

    def learn(self, refusal: AlreadyClaimed) -> None:
        """Note the claims of a refused append; from now on claims are checked first."""
        self.refusals += 1
        for clash in refusal.clashes:
            self.known[clash.scope, clash.keyed_hash] = True

    def find_conflict(
        self, changes: Iterable[Change], others: Callable[[], Iterable[Change]]
    ) -> Claim | None:
        """
        Return the claim among *changes* that is another stream's, or None.

        A look-up also includes *others*, the claims that may come next.
        """
        if not self.refusals:
            return None
        wanted = self.keys_of(changes)
        if wanted.keys() - self.known.keys():
            self.ask({**wanted, **self.keys_of(others())})
        return next((wanted[key] for key in wanted if self.known[key]), None)

    def ask(self, claims: Iterable[Key]) -> None:
        keys = [key for key in claims if key not in self.known]
        taken = find_claimed(self.connection, self.stream_id, keys)
        self.known |= {key: key in taken for key in keys}

    def keys_of(self, changes: Iterable[Change]) -> dict[Key, Claim]:
        added = [change for change in changes if not change.is_released]
        hashed = self.deciders.hashed(added, self.stream_id)
        return {
            (h.scope, h.keyed_hash): change.claim
            for change, h in zip(added, hashed, strict=True)
        }
