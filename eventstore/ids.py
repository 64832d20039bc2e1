"""Ids that are computed, so that the same thing done twice is the same thing."""

import hashlib
import hmac
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1d2c0e-6d0b-5c52-9c34-1d1f5f0e8a11")


def command_id_for(principal: str, key: str) -> UUID:
    """
    Return the id of the command that *principal* sends under *key*.

    *key* is the text of the idempotency key. The id is never the client's own value: a
    client cannot take the id that another client's command, or a process manager's, is
    going to have.
    """
    return uuid5(NAMESPACE, f"{principal}\n{key}")


def event_id_for(command_id: UUID, index: int) -> UUID:
    """
    Return the id of an event of a command: deciding again repeats it.

    *index* is the number of the event among the command's, from 0.
    """
    return uuid5(command_id, str(index))


def origin_of(command_id: UUID, pruning: int | None) -> UUID:
    """
    Return what the ids of a command's events are made of: most often its own id.

    After a *pruning* the same id may come again for another command, whose events are
    others: an event's id is in the log once.
    """
    return command_id if pruning is None else uuid5(command_id, f"pruning {pruning}")


def fingerprint_of(content: bytes, secret: bytes) -> bytes:
    """
    Return a keyed hash of a command's content.

    Keyed, since a bare hash of a short content could be guessed by trying.
    """
    return hmac.digest(secret, content, hashlib.sha256)
