"""
Translate errors of the database to the engine's own.

Constraints and SQLSTATEs are named here; ES001 to ES004 are those of our functions.
"""

import json
import re
from collections.abc import Mapping
from typing import NoReturn
from uuid import UUID

import psycopg

from eventstore.errors import (
    AlreadyClaimed,
    CheckpointNotInLog,
    Clash,
    CommandAlreadyFinished,
    KeyMadeElsewhere,
    WrongExpectedVersion,
)
from eventstore.errors.unstorable import Unstorable
from eventstore.session_errors import is_of_the_session


def is_of_the_data(error: Exception) -> bool:
    """
    Return whether the data were refused, and would be refused again.

    Classes of SQLSTATE: 22 an invalid value, 23 a constraint, 54 too large. All others
    (no right, no such function, no connection) are not the command's fault.
    """
    if isinstance(error, Unstorable):
        return True
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return state is not None and state[:2] in ("22", "23", "54")


def is_lost_connection(error: Exception) -> bool:
    """
    Return whether *error* means that the database, or our session, is unusable.

    A session that cannot write any more counts as unusable.
    """
    if is_of_the_session(error):
        return True
    return isinstance(
        error, psycopg.OperationalError | psycopg.InterfaceError
    ) and not is_of_the_data(error)


OUTLIVED = ("40", "53", "55", "57014")
"""
Beginnings of the SQLSTATEs of what ends a transaction and not its session.

A conflict, a full disk or too little memory, a lock that is not free, a time limit.
"""


def ends_the_session(connection: psycopg.Connection, error: Exception) -> bool:
    """
    Return whether *error* tells that *connection* is of no use, or its database away.

    Unlike `is_lost_connection` it takes what a statement has run into for no loss.
    """
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    is_outlived = state is not None and state.startswith(OUTLIVED)
    return is_lost_connection(error) and (connection.closed or not is_outlived)


def raise_misplaced(error: Exception, name: str) -> None:
    """Raise CheckpointNotInLog if the database refused a reader for that reason."""
    if isinstance(error, psycopg.Error) and error.sqlstate == "ES004":
        raise CheckpointNotInLog(name, None) from error


def raise_refusal(error: psycopg.Error, expected: Mapping[str, int]) -> NoReturn:
    """
    Raise the engine's error for a refused append; raise other errors unchanged.

    *expected* has the versions that the append was made for, by stream.
    """
    match error.sqlstate, error.diag.constraint_name:
        case "ES001", _:
            detail = json.loads(error.diag.message_detail or "{}")
            raise WrongExpectedVersion(
                detail["stream_id"], detail["expected"], detail["actual"]
            ) from error
        case "ES002", _:
            detail = json.loads(error.diag.message_detail or "{}")
            raise CommandAlreadyFinished(
                UUID(detail["command_id"]), detail["status"]
            ) from error
        case _, "keys_subject_key":
            raise KeyMadeElsewhere from error
        case "ES003", _:
            raise AlreadyClaimed(
                [
                    Clash(
                        scope=clash["scope"],
                        keyed_hash=bytes.fromhex(clash["hash"]),
                        stream_id=clash["stream_id"],
                        command_id=clash["command_id"] and UUID(clash["command_id"]),
                    )
                    for clash in json.loads(error.diag.message_detail or "[]")
                ]
            ) from error
        case _, "events_stream_id_version_key":
            # "Key (stream_id, version)=(order-7, 3) already exists.", in any language.
            detail = error.diag.message_detail or ""
            key = re.search(
                r"\(stream_id, version\)=\((.*), (\d+)\)", detail, re.DOTALL
            )
            if key is None:
                raise error
            stream_id, version = key.groups()
            raise WrongExpectedVersion(
                stream_id, expected.get(stream_id), int(version)
            ) from error
        case _:
            raise error
