"""A folder in memory, for servers with disposable data."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.folders import Folders

SHARED_MEMORY = Path("/dev/shm")
"""Where Linux keeps a file system in memory, that everybody may write to."""
ROOM = 4 << 30
"""Bytes that have to be free there, and in memory: the tests fill a part of that."""


@contextmanager
def lend_folders(folders: Folders) -> Iterator[Folders]:
    """
    Lend folders in memory instead of *folders*, if there is room, else those.

    A database for each test is then no work for a disk. Their logs are left behind
    where they would have been; all else is gone at the end.
    """
    if not has_room(SHARED_MEMORY):
        yield folders
        return
    place = SHARED_MEMORY / f"recount-{os.geteuid()}-{folders.digest}"
    try:
        yield Folders(place)
    finally:
        logs = Folders(place).logs
        if logs.is_dir():
            shutil.copytree(logs, folders.logs, dirs_exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)


def has_room(place: Path) -> bool:
    """Return whether *place* is ours to use, and a few gigabytes are free."""
    if not os.access(place, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(place)
    return min(found.f_bavail * found.f_frsize, available()) >= ROOM


def available() -> int:
    """Return the bytes of memory that are free, or 0 if that is not known."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    told = dict(line.split(":", 1) for line in lines)
    return int(told.get("MemAvailable", "0 kB").split()[0]) * 1024
