"""How often wrong tokens were shown: after too many, only known ones are looked at."""

import time
from collections import deque
from dataclasses import dataclass, field
from threading import Lock

from webapp.problems import SECONDS_OF_WRONG_TOKENS

MOST_WRONG = 50
"""So many a minute are looked up in the database, by whoever they are sent."""
MOST_KNOWN = 1_000


@dataclass(slots=True)
class WrongTokens:
    """
    What one process remembers of the tokens that it was shown.

    A token that was right here before is looked up all the same, so that nobody is shut
    out by a neighbour who guesses; it may have been revoked since.
    """

    moments: deque[float] = field(default_factory=deque)
    known: dict[bytes, None] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def is_refused(self, digest: bytes) -> bool:
        """Say whether a token is refused without a look."""
        with self.lock:
            now = time.monotonic()
            while self.moments and self.moments[0] < now - SECONDS_OF_WRONG_TOKENS:
                self.moments.popleft()
            return len(self.moments) >= MOST_WRONG and digest not in self.known

    def was_wrong(self, digest: bytes) -> None:
        with self.lock:
            self.known.pop(digest, None)
            self.moments.append(time.monotonic())

    def was_right(self, digest: bytes) -> None:
        with self.lock:
            self.known.setdefault(digest)
            if len(self.known) > MOST_KNOWN:
                del self.known[next(iter(self.known))]
