"""A shop of the tour's own: an `up` in a temporary folder, gone when the tour ends."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded import record
from embedded.environment import variables_given
from embedded.errors import CannotStart, EmbeddedError
from embedded.folders import ROOT, SHORT, Folders
from embedded.logs import last_lines
from embedded.postgres_home import find_home
from embedded.record import Record
from tasks.shop.local_access import header_file
from tasks.shop.settings import VARIABLES

STARTING = 180.0
STOPPING = 90.0
"""Seconds in which it must be up, and in which it must have stopped."""
UP = (sys.executable, "-P", "-m", "embedded", "up")
LOG = "up.log"
KEPT = frozenset({"POSTGRES_BIN", "POSTGRES_AS_ROOT", "REDIS_SERVER"})
"""The caller's variables that hold for the tour's shop too: where programs are."""
SETTINGS = {
    # A visitor waits for the snapshot, which is due at the number of the documents.
    "SNAPSHOT_EVENTS": "20,account=500",
    "SNAPSHOT_SECONDS": "2",
    "WEB_PROCESSES": "1",
    # It shows the same to all, wherever they are.
    "CURRENCY": "EUR",
    "TIMEZONE": "UTC",
    "LOCALE": "en",
}


@dataclass(frozen=True, slots=True)
class OwnShop:
    """The running shop: its folders, and what commands need to reach it."""

    folders: Folders
    environment: Mapping[str, str]

    @property
    def running(self) -> Record:
        """What its `up` says of itself. Raises EmbeddedError if it has ended."""
        found = record.read_running(self.folders)
        if found is None:
            raise EmbeddedError("the shop of the tour has ended before the tour")
        return found

    @property
    def address(self) -> str:
        return self.running.address

    @property
    def database_url(self) -> str:
        """The address of its database, for the login that may see all."""
        return self.running.environment["ADMIN_DATABASE_URL"]

    @property
    def header(self) -> Path:
        """The file with the header that lets programs in."""
        return header_file(self.folders.state)

    @property
    def announcement(self) -> str:
        """The line by which its `up` says that it is up."""
        lines = (self.folders.state / LOG).read_text().splitlines()
        return next(line for line in lines if line.startswith("Recount is up"))

    @property
    def psql(self) -> str:
        """The path of psql. Raises EmbeddedError if there is none."""
        beside = find_home(self.folders, self.environment).binaries / "psql"
        found = str(beside) if beside.is_file() else shutil.which("psql")
        if found is None:
            raise EmbeddedError("psql is missing: apt install postgresql-client")
        return found


@contextmanager
def own_shop() -> Iterator[OwnShop]:
    """
    Lend a shop of one's own, empty and up; stop it and remove its data at the end.

    Raises CannotStart if it does not come up.
    """
    # A short path: the names of sockets have a limit.
    state = Path(tempfile.mkdtemp(prefix="recount-tour-", dir=SHORT)).resolve()
    folders = Folders(state)
    shop = OwnShop(folders, environment_for(state))
    up = start(shop, state / LOG)
    try:
        wait_until_up(up, shop, state / LOG)
        yield shop
    finally:
        stop(up)
        folders.forget_sockets()
        for place in (folders.elsewhere, state):
            shutil.rmtree(place, ignore_errors=True)


def environment_for(state: Path) -> dict[str, str]:
    """Return the caller's environment without what belongs to another shop."""
    # Set to nothing, since `.env` would be read for what is missing.
    unset = dict.fromkeys(
        (VARIABLES - KEPT) | variables_given().keys() - os.environ, ""
    )
    return {
        **os.environ,
        **unset,
        **SETTINGS,
        "STATE_DIR": os.fspath(state),
        "PYTHONPATH": os.fspath(ROOT),
    }


def start(shop: OwnShop, log: Path) -> subprocess.Popen[bytes]:
    """
    Start `up` in a session of its own: Ctrl-C is for the tour, which stops it.

    If the tour is killed, the kernel asks `up` to stop.
    """
    with log.open("wb") as output:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *UP],
            env=shop.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def wait_until_up(up: subprocess.Popen[bytes], shop: OwnShop, log: Path) -> None:
    end = time.monotonic() + STARTING
    while True:
        running = record.read_running(shop.folders)
        if running is not None and running.address:
            return
        if up.poll() is not None or time.monotonic() > end:
            shown = "\n".join(f"  {line}" for line in last_lines(log, 15))
            raise CannotStart(f"the shop of the tour did not come up:\n{shown}")
        time.sleep(0.05)


def stop(up: subprocess.Popen[bytes]) -> None:
    """Stop `up` as Ctrl-C does; another Ctrl-C hurries it."""
    print("\nstopping the shop", flush=True)
    up.send_signal(signal.SIGTERM)
    end = time.monotonic() + STOPPING
    while up.poll() is None:
        try:
            up.wait(max(end - time.monotonic(), 0))
        except KeyboardInterrupt:
            up.send_signal(signal.SIGTERM)
        except subprocess.TimeoutExpired:
            up.kill()
