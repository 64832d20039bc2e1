"""Passwords, stored as argon2id hashes, so that a dump discloses none."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12
MAX_LENGTH = 1_000
"""Characters; hashing a longer one would take too much processor time."""


class UnusablePassword(ValueError):
    """A password has at least 12 characters, and at most 1,000."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def hash_password(password: str) -> str:
    """Return the hash of *password* to store. Raises UnusablePassword."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise UnusablePassword
    return PasswordHasher().hash(password)


def matches(password: str, kept: str) -> bool:
    """Return whether *kept* is a hash of *password*."""
    try:
        return len(password) <= MAX_LENGTH and PasswordHasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
