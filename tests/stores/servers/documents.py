"""A server of the MongoDB family: FerretDB, with a PostgreSQL of its own behind it."""

import os
from pathlib import Path
from urllib.parse import quote

import pymongo
from pymongo.errors import PyMongoError

from embedded.child import Program
from embedded.environment import for_servers
from embedded.postgres import DATABASE, OWNER
from tests.stores.servers.postgres import PostgresServer
from tests.stores.servers.programs import FERRETDB
from tests.stores.servers.server import Server, free_port

CONNECTIONS = 20
"""
The connections that FerretDB may have to its PostgreSQL.

A command that changes more rows than that never ends: it holds one for each.
"""


class DocumentsServer(Server):
    """
    FerretDB 1.24 speaks MongoDB's protocol. Tests never ran on MongoDB 7 or 8.

    The data is that of its PostgreSQL, which is started and ended with it. Raises
    Unavailable where FerretDB is not built.
    """

    grace = 3.0
    """It does not end while a client's command hangs."""

    def __init__(self, folder: Path) -> None:
        self.built = FERRETDB.find()
        self.behind = PostgresServer(folder / "behind")
        super().__init__(self.behind.folder)
        self.home = folder
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/"

    def start(self) -> None:
        self.behind.start()
        super().start()

    def stop(self) -> None:
        super().stop()
        self.behind.stop()

    def kill(self) -> None:
        super().kill()
        self.behind.kill()

    def pause(self) -> None:
        super().pause()
        self.behind.pause()

    def resume(self) -> None:
        self.behind.resume()
        super().resume()

    def close(self) -> None:
        super().close()
        self.behind.close()

    def program(self) -> Program:
        host = quote(os.fspath(self.behind.folders.sockets), safe="")
        database = (
            f"postgres://{OWNER}@/{DATABASE}?host={host}&pool_max_conns={CONNECTIONS}"
        )
        return Program(
            name="ferretdb",
            command=[
                os.fspath(self.built / "documents"),
                *(f"127.0.0.1:{self.port}", database),
            ],
            environment=for_servers(os.environ),
            folder=self.home,
            log=self.home / "ferretdb.log",
        )

    def answers(self) -> bool:
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
            self.url, timeoutMS=2000
        )
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
        finally:
            client.close()
        return True
