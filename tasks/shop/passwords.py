"""Passwords, stored as argon2id hashes, so that a dump discloses none."""

import re
import unicodedata
from base64 import b64decode

from argon2 import PasswordHasher
from argon2.low_level import Type, hash_secret

MIN_LENGTH = 10
"""Characters."""
MAX_BYTES = 1_000
"""Hashing more would take too much processor time."""

HASHER = PasswordHasher()
METHOD = re.compile(
    r"\$argon2id\$v=(?P<version>\d+)\$m=(?P<memory>\d+),t=(?P<time>\d+),p=(?P<lanes>\d+)"
    r"\$(?P<salt>[A-Za-z0-9+/]+)\$"
)
"""All of a stored hash but the hash itself."""


class UnusablePassword(ValueError):
    """A password has at least 10 characters, and at most 1,000 bytes."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def hash_password(password: str) -> str:
    """Return the hash of *password* to store. Raises UnusablePassword."""
    if len(normal(password)) < MIN_LENGTH or is_too_long(password):
        raise UnusablePassword
    return HASHER.hash(as_bytes(password))


def hash_by(method: str | None, password: str) -> str:
    """
    Return the hash of *password* by the *method* of a stored one, to compare the two.

    By None, or for a password that is too long, the hash of something else is computed,
    which takes the same time, and nothing is returned that could be stored.
    """
    found = None if method is None else METHOD.fullmatch(method)
    if found is None or is_too_long(password):
        return HASHER.hash("nobody's password").rpartition("$")[0]
    salt = found["salt"]
    return hash_secret(
        as_bytes(password),
        b64decode(salt + "=" * (-len(salt) % 4)),
        time_cost=int(found["time"]),
        memory_cost=int(found["memory"]),
        parallelism=int(found["lanes"]),
        hash_len=HASHER.hash_len,
        type=Type.ID,
        version=int(found["version"]),
    ).decode()


def method_of(kept: str) -> str:
    """Return how *kept* was made: all of it but the hash itself."""
    return kept[: kept.rindex("$") + 1]


def is_too_long(password: str) -> bool:
    return len(as_bytes(password)) > MAX_BYTES


def as_bytes(password: str) -> bytes:
    return normal(password).encode(errors="surrogatepass")


def normal(password: str) -> str:
    """Return *password* as all keyboards and systems write it."""
    return unicodedata.normalize("NFKC", password)
