"""What keeps a projection from following a stream."""

from typing import NamedTuple


class Failure(NamedTuple):
    """
    A stream that a projection cannot follow, from the event at *position* on.

    *because_of* is the parked stream without whose rows it cannot be tried; without it
    *error* is what the projection raised.
    """

    stream_id: str
    position: int
    error: Exception
    because_of: str | None = None


class RowsMissing(Exception):
    """The rows of a parked stream are missing, without which an event is not tried."""


class RowRefused(Exception):
    """The database does not take the row that an event makes."""
