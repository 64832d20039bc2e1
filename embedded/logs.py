"""The log files: one a process, appended to, and shown by `./recount logs`."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

TOO_LARGE = 10_000_000
PAUSE = 0.2


def open_log(path: Path) -> IO[bytes]:
    """Open a log to append to; a large one is set aside first, for one generation."""
    if path.exists() and path.stat().st_size > TOO_LARGE:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last *count* lines, reading no more than the end of the file."""
    if not path.exists():
        return []
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 400 * count))
        return log.read().decode(errors="replace").splitlines()[-count:]


def show(paths: list[Path], *, count: int, follow: bool) -> None:
    """Print the last lines of each log and then, on request, new lines of all."""
    width = max((len(path.stem) for path in paths), default=0)
    prefix = {
        path: f"{path.stem:{width}} | " if len(paths) > 1 else "" for path in paths
    }
    tails = [Tail(path) for path in paths] if follow else []
    for path in paths:
        for line in last_lines(path, count):
            print(prefix[path] + line)
    sys.stdout.flush()
    while tails:
        for tail in tails:
            for line in tail.new_lines():
                print(prefix[tail.path] + line, flush=True)
        time.sleep(PAUSE)


@dataclass(slots=True)
class Tail:
    """A log's end as it grows, found again after the file was set aside."""

    path: Path
    position: int = 0
    inode: int = 0

    def __post_init__(self) -> None:
        if self.path.exists():
            found = os.stat(self.path)
            self.position, self.inode = found.st_size, found.st_ino

    def new_lines(self) -> Iterator[str]:
        """Yield the whole lines added since the last time."""
        try:
            with self.path.open("rb") as log:
                if os.fstat(log.fileno()).st_ino != self.inode:
                    self.inode, self.position = os.fstat(log.fileno()).st_ino, 0
                log.seek(self.position)
                added = log.read()
        except FileNotFoundError:
            return
        whole = added[: added.rfind(b"\n") + 1]
        self.position += len(whole)
        yield from whole.decode(errors="replace").splitlines()
