"""The running processes by /proc, with start times, since pids are used again."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process, named so that it cannot be mistaken for a later one with its pid."""

    pid: int
    started: int

    def is_running(self) -> bool:
        return find(self.pid) == self

    def send(self, number: int) -> None:
        """Send the signal *number*, if this process still runs."""
        with suppress(ProcessLookupError):
            # The descriptor pins the process; checked after, it cannot be recycled.
            descriptor = os.pidfd_open(self.pid)
            try:
                if self.is_running():
                    signal.pidfd_send_signal(descriptor, number)
            finally:
                os.close(descriptor)


def find(pid: int) -> Process | None:
    """Return the process that has *pid* now; a zombie no longer runs."""
    fields = stat_fields(pid)
    if fields is None or fields[0] == "Z":
        return None
    return Process(pid, started=int(fields[19]))


def parent_of(process: Process) -> int:
    fields = stat_fields(process.pid)
    return int(fields[1]) if fields else 0


def session_of(process: Process) -> int:
    fields = stat_fields(process.pid)
    return int(fields[3]) if fields else 0


def with_variable(name: str, value: str) -> set[Process]:
    """Return the processes that were started with *name* set to *value*."""
    wanted = os.fsencode(f"{name}={value}")
    return {
        process
        for process in everything()
        if wanted in environment_of(process).split(b"\0")
    }


def working_in(folder: Path) -> set[Process]:
    """Return the processes whose current folder is *folder*: a server's is its data."""
    wanted = os.path.realpath(folder)
    return {process for process in everything() if folder_of(process) == wanted}


def in_session(leader: int) -> set[Process]:
    return {process for process in everything() if session_of(process) == leader}


def everything() -> Iterator[Process]:
    for entry in PROC.iterdir():
        if entry.name.isdecimal() and (process := find(int(entry.name))):
            yield process


def stat_fields(pid: int) -> list[str] | None:
    """Return /proc/PID/stat from the state on: the name before may hold anything."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def environment_of(process: Process) -> bytes:
    try:
        return (PROC / str(process.pid) / "environ").read_bytes()
    except OSError:
        return b""  # gone, or not ours to read, and then not ours


def folder_of(process: Process) -> str:
    try:
        return os.readlink(PROC / str(process.pid) / "cwd")
    except OSError:
        return ""
