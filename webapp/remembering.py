"""What a process of the web remembers of tokens, for a moment, and of wrong ones."""

import time
from collections import deque
from dataclasses import dataclass, field
from threading import Lock

from eventstore.access.tokens import Bearer
from webapp.problems import SECONDS_OF_WRONG_TOKENS

FRESH = 0.1
"""Seconds for which an answer is believed: a client that is busy asks once for many."""
MOST_WRONG = 50
"""So many a minute are looked up in the database, by whoever they are sent."""
MOST_KNOWN = 1_000


@dataclass(slots=True)
class Remembered:
    """
    The tokens that were right, how often some were wrong, and whether there are users.

    After too many wrong ones, one that was right here before is looked up all the same,
    so that nobody is shut out by a neighbour who guesses. Users, once there, stay.
    """

    known: dict[bytes, tuple[Bearer, float]] = field(default_factory=dict)
    wrong: deque[float] = field(default_factory=deque)
    there_are_users: bool = False
    no_users_at: float = float("-inf")
    lock: Lock = field(default_factory=Lock)

    def fresh(self, digest: bytes) -> Bearer | None:
        """Return whom a token speaks for, if that was looked up just now."""
        bearer, at = self.known.get(digest, (None, 0.0))
        return bearer if time.monotonic() - at < FRESH else None

    def is_refused(self, digest: bytes) -> bool:
        """Say whether a token is refused without a look, after too many wrong ones."""
        with self.lock:
            now = time.monotonic()
            while self.wrong and self.wrong[0] < now - SECONDS_OF_WRONG_TOKENS:
                self.wrong.popleft()
            return len(self.wrong) >= MOST_WRONG and digest not in self.known

    def learn(self, digest: bytes, bearer: Bearer | None) -> None:
        """Remember what a look at a token has brought."""
        with self.lock:
            self.known.pop(digest, None)
            if bearer is None:
                self.wrong.append(time.monotonic())
                return
            self.known[digest] = (bearer, time.monotonic())
            if len(self.known) > MOST_KNOWN:
                del self.known[next(iter(self.known))]

    def learn_users(self, there_are: bool) -> None:
        """Remember whether there are users."""
        self.there_are_users |= there_are
        self.no_users_at = time.monotonic()

    def knows_of_no_users(self) -> bool:
        """Say whether it was looked up just now that there are none."""
        return not self.there_are_users and time.monotonic() - self.no_users_at < FRESH
