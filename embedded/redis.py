"""Our own Redis (Valkey speaks for it): durable, and heard on a Unix socket alone."""

import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from embedded.binaries import redis_server
from embedded.child import Program
from embedded.environment import for_servers
from embedded.folders import Folders

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    # Its current folder: a path with a space would have to be quoted here.
    "dir": ".",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",
}

DAMAGED = "damaged"


def redis(folders: Folders, environment: Mapping[str, str]) -> Program:
    settings = {**SETTINGS, "unixsocket": os.fspath(socket_of(folders))}
    options = [part for name in settings for part in (f"--{name}", settings[name])]
    return Program(
        name="redis",
        command=[os.fspath(redis_server(environment)), *options],
        environment=for_servers(environment),
        folder=folders.redis,
        log=folders.logs / "redis.log",
        hurried_grace=10,
        before_start=folders.ensure_sockets,
        needs=socket_of(folders),
        repair=lambda: set_aside(folders.redis),
    )


def set_aside(data: Path) -> str:
    """
    Move the files of Redis away, so that it starts empty.

    A power cut can leave files that it refuses to load. No command is lost with them:
    messages only have ids of commands, which are in the journal.
    """
    kept = [path for path in sorted(data.iterdir()) if path.name != DAMAGED]
    if not kept:
        return ""
    damaged = data / DAMAGED
    shutil.rmtree(damaged, ignore_errors=True)
    damaged.mkdir(mode=0o700)
    for path in kept:
        path.rename(damaged / path.name)
    return f"Redis starts empty: its files, set aside in {damaged}, may be damaged"


def redis_url(folders: Folders) -> str:
    return f"redis+socket://{quote(os.fspath(socket_of(folders)))}"


def socket_of(folders: Folders) -> Path:
    return folders.sockets / "redis.sock"


def is_ready(folders: Folders) -> bool:
    """Return whether the server answers; it does so when its data is loaded."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(os.fspath(socket_of(folders)))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
