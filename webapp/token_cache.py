"""What the web remembers of tokens, for a moment, and of wrong ones."""

import struct
import time
from dataclasses import dataclass, field
from threading import Lock

from eventstore.access.tokens import Bearer
from tasks.shop.shared_memory import SharedMemory
from webapp.problems import SECONDS_OF_WRONG_TOKENS

FRESH = 0.1
"""Seconds for which an answer is believed: a client that is busy asks once for many."""
MAX_WRONG = 50
"""So many a minute are looked up in the database, from all senders together."""
MAX_KNOWN = 1_000
HEAD, MOMENT = struct.Struct("=2Q"), struct.Struct("=d")
"""Which of the wrong, and of the right, is written over next; when one was wrong."""
START_OF_RIGHT = HEAD.size + MAX_WRONG * MOMENT.size


@dataclass
class Wrong:
    """
    When tokens were wrong, and which were right: of all processes of the shop's web.

    Only the last of each are kept, over which the oldest is written.
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
            # The next to be written over is the oldest of them.
            (oldest,) = MOMENT.unpack_from(memory, HEAD.size + wrong * MOMENT.size)
            if not oldest or oldest < time.monotonic() - SECONDS_OF_WRONG_TOKENS:
                return False
            return not self.place_of(digest)

    def place_of(self, digest: bytes) -> int:
        """Return where a digest stands among those that were right, or 0."""
        memory, place = self.shared.memory, START_OF_RIGHT - 1
        while (place := memory.find(digest[:8], place + 1)) >= 0:
            if (place - START_OF_RIGHT) % 8 == 0:
                return place
        return 0


@dataclass(slots=True)
class TokenCache:
    """
    The tokens that were right, how often some were wrong, and whether there are users.

    After too many wrong ones, one that was right here before is looked up all the same,
    so that nobody is shut out by a neighbour who guesses. Users, once there, stay.
    """

    known: dict[bytes, tuple[Bearer, float]] = field(default_factory=dict)
    wrong: Wrong = field(default_factory=Wrong)
    there_are_users: bool = False
    no_users_at: float = float("-inf")
    lock: Lock = field(default_factory=Lock)

    def fresh(self, digest: bytes) -> Bearer | None:
        """Return the bearer of a token, if it was looked up just now."""
        bearer, at = self.known.get(digest, (None, 0.0))
        return bearer if time.monotonic() - at < FRESH else None

    def is_refused(self, digest: bytes) -> bool:
        """Say whether a token is refused without a look, after too many wrong ones."""
        return self.wrong.refuses(digest)

    def learn(self, digest: bytes, bearer: Bearer | None) -> None:
        """Remember what a look at a token has brought."""
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
        """Remember whether there are users."""
        self.there_are_users |= there_are
        self.no_users_at = time.monotonic()

    def knows_of_no_users(self) -> bool:
        """Say whether it was looked up just now that there are none."""
        return not self.there_are_users and time.monotonic() - self.no_users_at < FRESH
