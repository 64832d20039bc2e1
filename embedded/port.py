"""Which port the web listens on, and whether it is really ours that answers there."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from embedded import processes
from embedded.errors import PortTaken
from tasks.shop.bad_setting import BadSetting
from tasks.shop.setting_values import port

HOST = "127.0.0.1"
FIRST, LAST = 5000, 5999
LISTENS = "0A"


@dataclass(frozen=True, slots=True)
class ClaimedPort:
    """A port that is free, and that no other `up` of this machine will choose."""

    number: int
    claim: socket.socket

    def release(self) -> None:
        self.claim.close()


def claim_port(environment: Mapping[str, str], last: int = FIRST) -> ClaimedPort:
    """
    Claim the port that PORT names, or else the *last* one, or the first that is free.

    Raises PortTaken for a port that was asked for: bookmarks may have it.
    """
    if asked := environment.get("PORT"):
        if claimed := claim(parse_port(asked)):
            return claimed
        raise PortTaken(f"port {asked} cannot be had; set PORT to another one")
    for number in (last, *range(FIRST, LAST)):
        if claimed := claim(number):
            return claimed
    raise PortTaken(f"all ports from {FIRST} to {LAST} are taken; set PORT")


def parse_port(value: str) -> int:
    try:
        return port(value)
    except ValueError as error:
        raise BadSetting("PORT: expected a number from 1 to 65535") from error


def claim(number: int) -> ClaimedPort | None:
    """
    Claim *number*, if it is free.

    Minutes may pass until the web listens. A name in the abstract name space belongs
    to one process of the machine, of whatever user, and ends with it.
    """
    name = socket.socket(socket.AF_UNIX)
    with suppress(OSError):
        name.bind(f"\0recount-port-{number}")
        if is_free(number):
            return ClaimedPort(number, name)
    name.close()
    return None


def is_free(number: int) -> bool:
    with socket.socket() as candidate:
        # As the web server does it: an address that only lingers is free.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, number))
        except OSError:
            return False
    return True


def has_answered(number: int, leader: int) -> bool:
    """Return whether *leader*, or a child of it, has answered on port *number*."""
    connection = HTTPConnection(HOST, number, timeout=2)
    try:
        connection.request("GET", "/healthz")
        healthy = connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    # Another process may have begun to listen there since we found it free.
    return healthy and listens(number, leader)


def listens(number: int, leader: int) -> bool:
    wanted = listening_sockets(number)
    return any(
        wanted & open_sockets(process.pid) for process in processes.in_session(leader)
    )


def listening_sockets(number: int) -> set[str]:
    """Return the inodes of what listens on a port, as /proc/net/tcp has them."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return {
        row[9]
        for row in rows
        if row[3] == LISTENS and row[1].endswith(f":{number:04X}")
    }


def open_sockets(pid: int) -> set[str]:
    inodes = set()
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                target = str(descriptor.readlink())
                inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    return inodes
