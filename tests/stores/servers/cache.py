"""A second Valkey, set up as a cache: the broker's own never forgets."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from embedded.binaries import redis_server
from embedded.child import Program
from embedded.environment import for_servers
from tests.stores.servers.server import Server, free_port

SETTINGS = {
    "bind": "127.0.0.1",
    "dir": ".",
    "save": "",
    "appendonly": "no",
    "maxmemory": "64mb",
    "maxmemory-policy": "allkeys-lru",
}


class CacheServer(Server):
    """
    Valkey. *settings* are its options, over SETTINGS.

    It keeps nothing over a restart unless `appendonly` is `yes`.
    """

    def __init__(
        self, folder: Path, *, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(folder / "data")
        self.home = folder
        self.settings = {**SETTINGS, **(settings or {})}
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def program(self) -> Program:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {**self.settings, "port": str(self.port)}
        options = [part for name in settings for part in (f"--{name}", settings[name])]
        return Program(
            name="valkey",
            command=[os.fspath(redis_server(os.environ)), *options],
            environment=for_servers(os.environ),
            folder=self.folder,
            log=self.home / "valkey.log",
        )

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
