"""How new the rows of a read store are, and what such a store can be asked."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import ClassVar, NamedTuple, Protocol

import sqlalchemy as sa

from eventstore.projections.freshness import Freshness
from eventstore.projections.projection import Projection

SECONDS_TO_ANSWER = 0.15
"""Seconds for the first, trivial statement: a server that needs more is overloaded."""
MAX_SECONDS_OLD = 5.0
"""A store that has heard nothing of the shop for so long is asked in need alone."""


class StoreState(NamedTuple):
    """
    The freshness of each read model that was asked for, in that order.

    *as_of* is when the last change was made that the store has, None if it does not
    know, and *now* its present time. *lacks* says that it has not got to the position
    that was asked for, and may get there.
    """

    reached: Sequence[Freshness]
    as_of: datetime | None
    now: datetime
    lacks: bool

    @property
    def seconds_old(self) -> float | None:
        """Return the age in seconds of what it has heard last; None is unknown."""
        if self.as_of is None:
            return None
        return max((self.now - self.as_of).total_seconds(), 0.0)

    @property
    def is_enough(self) -> bool:
        """Return whether it may answer although the shop's database could be asked."""
        age = self.seconds_old
        return not self.lacks and age is not None and age < MAX_SECONDS_OLD


class ReadStore(Protocol):
    """
    A database with the views of all read models, which is not the shop's own.

    *has_everything* says that it has the other tables of the shop, too.
    """

    name: str
    has_everything: ClassVar[bool]

    def lend(self) -> AbstractContextManager[sa.Connection]:
        """Lend a connection; raises within 0.2 seconds if the server is silent."""

    def look(
        self,
        connection: sa.Connection,
        projections: Sequence[Projection],
        position: int,
        seconds: float,
        identity: str | None,
    ) -> StoreState:
        """
        Return the state, once it has *position* or *seconds* have passed.

        *identity* is that of the shop, if it is known: raises UnfitSession for a store
        of another.
        """

    def dispose(self, *, close: bool) -> None:
        """Drop the connections; in a forked process, without closing them."""
