"""The record of a running `up`, for `status`, `down` and the `up` after a crash."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from embedded import processes
from embedded.errors import AlreadyRunning
from embedded.folders import Folders
from embedded.processes import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedChild:
    """One process of the Procfile, or a server, as it was when last written down."""

    name: str
    state: str
    since: float
    restarts: int
    process: Process | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The record of a running `up`: its process, address, processes and environment."""

    up: Process
    address: str
    environment: dict[str, str]
    children: list[RecordedChild]


def write(record: Record, folders: Folders) -> None:
    partial = folders.record.with_suffix(".new")
    # The environment holds the secret key.
    partial.touch(mode=0o600)
    partial.write_bytes(msgspec.json.encode(record))
    partial.replace(folders.record)


def read(folders: Folders) -> Record | None:
    try:
        return msgspec.json.decode(folders.record.read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def read_running(folders: Folders) -> Record | None:
    """Return the record if the `up` that wrote it still runs."""
    record = read(folders)
    return record if record and record.up.is_running() else None


def this_process() -> Process:
    process = processes.find(os.getpid())
    assert process is not None
    return process


@contextmanager
def only_one(folders: Folders) -> Iterator[None]:
    """
    Hold the data folder's lock; the kernel lets go of it however we end.

    Raises AlreadyRunning where another process holds it.
    """
    folders.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(folders.lock, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning from error
        yield
