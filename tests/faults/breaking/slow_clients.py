"""Clients come to the web that say half of what they want, or never read an answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from urllib.parse import urlsplit

from tests.faults.desk import Desk
from tests.faults.kind import MISSED, Kind, Seconds, Strike
from tests.support import slow_clients

WHILE: Seconds = (1.0, 5.0)


def sitting(kind: str, count: int) -> Strike:
    """Have so many slow clients of a kind sit there."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        port = urlsplit(desk.address).port or 0
        clients = slow_clients.slow_clients(port, kind, count)
        try:
            clients.__enter__()
        except OSError:
            yield f"{MISSED}: the web takes no connection now"
            return
        try:
            yield f"{count} of them"
        finally:
            clients.__exit__(None, None, None)

    return strike


KINDS = tuple(
    Kind(f"clients: {kind}", WHILE, sitting(kind, count))
    for kind, count in slow_clients.KINDS.items()
)
