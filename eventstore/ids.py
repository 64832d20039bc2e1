"""Computed ids, so that a repetition has the same id."""

import hashlib
import hmac
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1d2c0e-6d0b-5c52-9c34-1d1f5f0e8a11")


def command_id_for(principal: str, key: str) -> UUID:
    """
    Return the id of the command that *principal* sends under *key*.

    *key* is the text of the idempotency key. The id is not the client's value, so a
    client cannot occupy the id of another client's, or a process manager's, command.
    """
    return uuid5(NAMESPACE, f"{principal}\n{key}")


def event_id_for(command_id: UUID, index: int) -> UUID:
    """
    Return the id of an event of a command, the same each time it is decided.

    *index* is the number of the event among the command's, from 0.
    """
    return uuid5(command_id, str(index))


def origin_of(command_id: UUID, pruning: int | None) -> UUID:
    """
    Return the id from which a command's event ids are made: mostly its own.

    After a *pruning* another command may have the same id, and its events need other
    ids: an event's id is unique in the log.
    """
    return command_id if pruning is None else uuid5(command_id, f"pruning {pruning}")


def fingerprint_of(content: bytes, secret: bytes) -> bytes:
    """
    Return a keyed hash of a command's content.

    Keyed, since a plain hash of a short content could be found by trying.
    """
    return hmac.digest(secret, content, hashlib.sha256)
