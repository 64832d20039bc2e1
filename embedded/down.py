"""`./recount down`: stops the running `up` from outside, in its own good order."""

import signal
import time

from embedded import leftovers, postgres, record
from embedded.console import Console
from embedded.environment import variables_given
from embedded.folders import Folders, folders_from
from embedded.record import Record

PATIENCE = 120.0


def down() -> int:
    folders, console = folders_from(variables_given()), Console()
    if running := record.read_running(folders):
        return stop(running, console)
    with record.only_one(folders):
        count = clear(folders)
    left = f" Cleared {count} processes that a killed one had left." if count else ""
    console.show(f"Recount is not up.{left}")
    return 0


def stop(running: Record, console: Console) -> int:
    running.up.send(signal.SIGTERM)
    end = time.monotonic() + PATIENCE
    while running.up.is_running():
        if time.monotonic() > end:
            console.show(f"Recount (pid {running.up.pid}) does not stop.")
            return 1
        time.sleep(0.05)
    console.show(f"Recount is down, after {console.seconds:.1f} s.")
    return 0


def clear(folders: Folders) -> int:
    places = (folders.postgres, folders.elsewhere / "postgres")
    for data in places:
        postgres.clear_leftovers(data)
    count = leftovers.clear(folders)
    folders.forget_sockets()
    return count
