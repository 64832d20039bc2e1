"""For a while a pooler stands before PostgreSQL, in one mode or the other."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from embedded.postgres import database_url
from tests.faults.breaking.databases import sessions_of
from tests.faults.breaking.victims import wait_a_little
from tests.faults.desk import Desk
from tests.faults.kind import MISSED, Kind, Seconds, Strike
from tests.support.pooler import SOCKET, Mode, Pooler

SHARING: Seconds = (1.0, 6.0)
KEEPING: Seconds = (2.0, 8.0)

SERVERS: dict[Mode, int] = {"transaction": 3, "session": 60}
"""
So many sessions of the server for each login: fewer than a role has clients, so that
they meet in one; or as many as there are clients.
"""


def pooling(mode: Mode) -> Strike:
    """Have all sessions of the shop opened again, through a pooler in that mode."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        wait_a_little(lambda: sessions_of(desk, "web|worker|relay"))
        with (
            TemporaryDirectory(prefix="recount-") as folder,
            closing(pooler_of(desk, mode, Path(folder))),
            desk.proxy.leading_to(Path(folder) / SOCKET) as ended,
        ):
            yield (
                f"pool_mode = {mode}, {len(ended)} sessions ended"
                if ended
                else f"{MISSED}: no sessions"
            )

    return strike


def pooler_of(desk: Desk, mode: Mode, folder: Path) -> Pooler:
    url = database_url(desk.folders)
    return Pooler(url, mode, servers=SERVERS[mode], folder=folder)


KINDS = (
    Kind("a pooler that shares sessions", SHARING, pooling("transaction")),
    Kind("a pooler that keeps sessions", KEEPING, pooling("session")),
)
