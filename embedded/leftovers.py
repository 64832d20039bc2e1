"""Ends processes that a killed `up` left running: children may outlive it briefly."""

import os
import signal
import time
from collections.abc import Callable

from embedded import processes
from embedded.environment import MARK
from embedded.folders import Folders
from embedded.processes import Process
from embedded.record import read

PATIENCE = 5.0


def clear(folders: Folders) -> int:
    """
    End the processes of this data folder except PostgreSQL; return how many.

    Called under the folder's lock, so that none of them can belong to a live `up`.
    PostgreSQL is left to its own room, which knows how it wants to be stopped.
    """

    def found() -> set[Process]:
        marked = processes.with_variable(MARK, os.fspath(folders.state))
        return (marked | recorded_processes(folders)) - {processes.find(os.getpid())}

    count = len(found())
    end_all(found, politely=signal.SIGTERM)
    folders.record.unlink(missing_ok=True)
    return count


def recorded_processes(folders: Folders) -> set[Process]:
    record = read(folders)
    if record is None:
        return set()
    return {
        child.process
        for child in record.children
        if child.name != "postgres" and child.process and child.process.is_running()
    }


def end_all(find: Callable[[], set[Process]], *, politely: int) -> None:
    """
    End what *find* returns: first by a signal to the leaders, then by KILL to all.

    They are asked once and waited for: the pool children of Celery and the backends
    of PostgreSQL go when their leader tells them.
    """
    left = find()
    pids = {process.pid for process in left}
    for process in left:
        if processes.parent_of(process) not in pids:
            process.send(politely)
    if not wait_until_gone(find):
        for process in find():
            process.send(signal.SIGKILL)
        wait_until_gone(find)


def wait_until_gone(find: Callable[[], set[Process]]) -> bool:
    end = time.monotonic() + PATIENCE
    while find():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
