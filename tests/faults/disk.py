"""A small file system for a database, which can be filled."""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

STEPS = (1 << 20, 1 << 12)
OURS = "recount-disk-of-"
"""What we call a file system, with the id of the process that has mounted it."""


class SmallDisk:
    """
    A file system in memory of so many *megabytes*, mounted at the data folder.

    Only root can mount one, and not in every container: `why_not` tells.
    """

    def __init__(self, data: Path, megabytes: int | None) -> None:
        self.data = data
        self.megabytes = megabytes
        self.is_mounted = False
        self.why_not = "the data do not lie on a small disk"

    @property
    def ballast(self) -> Path:
        return self.data / "ballast"

    def mount(self) -> None:
        """Move what lies in the data folder to a file system there, if one can be."""
        unmount_orphans()
        made = self.data.with_name("postgres.made")
        self.data.rename(made)
        self.data.mkdir()
        self.why_not = self.try_to_mount()
        shutil.copytree(made, self.data, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(made)

    def try_to_mount(self) -> str:
        options = f"size={self.megabytes}m"
        device = f"{OURS}{os.getpid()}"
        command = ["mount", "-t", "tmpfs", "-o", options, device, os.fspath(self.data)]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            return str(error)
        self.is_mounted = done.returncode == 0
        return done.stderr.strip() if done.returncode else ""

    def fill(self) -> int:
        """Leave nothing free; return how many bytes that took."""
        descriptor = os.open(self.ballast, os.O_WRONLY | os.O_CREAT, 0o600)
        size = 0
        for step in STEPS:
            with suppress(OSError):
                while True:
                    os.posix_fallocate(descriptor, size, step)
                    size += step
        os.close(descriptor)
        return size

    def empty(self) -> None:
        self.ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        if self.is_mounted:
            unmount(self.data)
        shutil.rmtree(self.data, ignore_errors=True)


def unmount(data: Path) -> None:
    subprocess.run(["umount", "--lazy", os.fspath(data)], check=True)


def unmount_orphans() -> None:
    """Give back the memory of those whose process was killed, and could not do it."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        device, path, *_ = line.split()
        owner = device.removeprefix(OURS)
        if owner != device and not Path("/proc", owner).exists():
            unmount(Path(path))
