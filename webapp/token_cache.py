"""The web's short-lived cache of tokens, and its limit on wrong ones."""

import struct
import time
from dataclasses import dataclass, field
from threading import Lock

from eventstore.access.tokens import Bearer
from tasks.shop.shared_memory import SharedMemory
from webapp.problems import SECONDS_OF_WRONG_TOKENS

FRESH = 0.1
"""Seconds for which a look-up is cached: a busy client causes few of them."""
MAX_WRONG = 50
"""Wrong tokens a minute, of all senders, after which tokens are not looked up."""
MAX_KNOWN = 1_000
HEAD, MOMENT = struct.Struct("=2Q"), struct.Struct("=d")
"""The indexes to overwrite next, of wrong and of right tokens; a wrong one's time."""
START_OF_RIGHT = HEAD.size + MAX_WRONG * MOMENT.size


@dataclass
class Wrong:
    """
    The times of wrong tokens, and digests of right ones, of all web processes.

    Only the last of each are kept; the oldest is overwritten.
    """

    shared: SharedMemory = field(
        default_factory=lambda: SharedMemory(HEAD.size + MAX_WRONG * 8 + MAX_KNOWN * 8)
    )

    def note_wrong(self, digest: bytes) -> None:
        with self.shared as memory:
            wrong, right = HEAD.unpack_from(memory)
            at = HEAD.size + wrong * MOMENT.size
            MOMENT.pack_into(memory, at, time.monotonic())
            HEAD.pack_into(memory, 0, (wrong + 1) % MAX_WRONG, right)
            if place := self.place_of(digest):
                memory[place : place + 8] = bytes(8)

    def note_right(self, digest: bytes) -> None:
        with self.shared as memory:
            if self.place_of(digest):
                return
            wrong, right = HEAD.unpack_from(memory)
            place = START_OF_RIGHT + right * 8
            memory[place : place + 8] = digest[:8]
            HEAD.pack_into(memory, 0, wrong, (right + 1) % MAX_KNOWN)

    def refuses(self, digest: bytes) -> bool:
        with self.shared as memory:
            wrong, _ = HEAD.unpack_from(memory)
            # The next to be overwritten is the oldest.
            (oldest,) = MOMENT.unpack_from(memory, HEAD.size + wrong * MOMENT.size)
            if not oldest or oldest < time.monotonic() - SECONDS_OF_WRONG_TOKENS:
                return False
            return not self.place_of(digest)

    def place_of(self, digest: bytes) -> int:
        """Return the place of a digest among those of right tokens, or 0."""
        memory, place = self.shared.memory, START_OF_RIGHT - 1
        while (place := memory.find(digest[:8], place + 1)) >= 0:
            if (place - START_OF_RIGHT) % 8 == 0:
                return place
        return 0


@dataclass(slots=True)
class TokenCache:
    """
    The right tokens, the number of wrong ones, and whether there are users.

    After too many wrong ones, a token that was right before is still looked up, so that
    another client's guesses do not lock out its user. Users are never deleted.
    """

    known: dict[bytes, tuple[Bearer, float]] = field(default_factory=dict)
    wrong: Wrong = field(default_factory=Wrong)
    there_are_users: bool = False
    no_users_at: float = float("-inf")
    lock: Lock = field(default_factory=Lock)

    def fresh(self, digest: bytes) -> Bearer | None:
        """Return the bearer of a token if its look-up is cached, or None."""
        return self.within(digest, FRESH)

    def within(self, digest: bytes, seconds: float) -> Bearer | None:
        """Return the bearer of a token that was right within *seconds*, or None."""
        bearer, at = self.known.get(digest, (None, 0.0))
        return bearer if time.monotonic() - at < seconds else None

    def is_refused(self, digest: bytes) -> bool:
        """Return whether, after too many wrong ones, a token is not looked up."""
        return self.wrong.refuses(digest)

    def learn(self, digest: bytes, bearer: Bearer | None) -> None:
        """Cache the result of a token's look-up; None is a wrong token."""
        with self.lock:
            is_new = self.known.pop(digest, None) is None
            if bearer is not None:
                self.known[digest] = (bearer, time.monotonic())
                if len(self.known) > MAX_KNOWN:
                    del self.known[next(iter(self.known))]
        if bearer is None:
            self.wrong.note_wrong(digest)
        elif is_new:
            self.wrong.note_right(digest)

    def learn_users(self, there_are: bool) -> None:
        """Cache whether there are users."""
        self.there_are_users |= there_are
        self.no_users_at = time.monotonic()

    def knows_of_no_users(self) -> bool:
        """Return whether it is cached that there are no users."""
        return self.had_no_users_within(FRESH)

    def had_no_users_within(self, seconds: float) -> bool:
        """Return whether a look of the last *seconds* found that there are no users."""
        return (
            not self.there_are_users and time.monotonic() - self.no_users_at < seconds
        )
