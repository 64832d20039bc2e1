"""Why a session cannot be used, in words that say what to do."""

import psycopg

LOST_RIGHT_TO_WRITE = "25006"

OF_SESSION = ("08", "25", "26", "53", "57", "58", "F0")
"""
Classes of SQLSTATE that tell of a session or its server, not of what was asked.

No connection, a transaction in another state, a prepared statement that is gone, no
resources, an operator's intervention, the system's errors, a broken configuration.
"""
DOUBTFUL = ("0A000", "3D000", "3F000", "42501", "42703", "42883", "42P01", "42P05")
"""
States that a healthy session may have, too: the statement itself may be wrong.

An old plan, another database, schema, role or search path. To open another session
costs little, and to keep such a one may cost every statement that follows.
"""


class UnfitSession(psycopg.OperationalError):
    """
    The database, or what stands before it, is not what the store can rely on.

    *what* is wrong, and *remedy* says what to do. It is an error of the connection:
    a later attempt may find another server there.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}; {remedy}")
        self.what = what
        self.remedy = remedy


class ReadOnlyServer(UnfitSession):
    """The server can be read and not written to."""

    def __init__(self) -> None:
        super().__init__(
            "the database is a standby, which can be read and not written to",
            "name the primary's host in the URL, or promote this one",
        )


class NoAnswer(psycopg.OperationalError):
    """A statement was given up: its answer did not come in time, or is lost."""


def is_of_the_session(error: BaseException) -> bool:
    """Return whether *error* concerns the session or the server, not the statement."""
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return state is not None and state[:2] in OF_SESSION


def ends_session(error: psycopg.Error) -> bool:
    """Return whether a session must not be used again after *error*."""
    if error.sqlstate == "57014":
        # Its statement took too long, or was cancelled.
        return False
    state = error.sqlstate or ""
    # In class XX the server met a bug of its own: what it remembers may be wrong.
    return is_of_the_session(error) or state in DOUBTFUL or state[:2] == "XX"
