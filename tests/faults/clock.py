"""The clocks of the shop's processes; each can be set apart from the others."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")
SECONDS = struct.Struct("q")


class Clocks:
    """
    A clock for each name, right until it is shifted.

    A library that a process preloads shifts what the C library tells it of the time, so
    it holds for all of its code. It is compiled here; without a compiler `why_not` says
    so, and no clock can be shifted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.library = folder / "clock.so"
        self.why_not = self.compile()

    def compile(self) -> str:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            return "no C compiler, so no process can be given a clock of its own"
        done = subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", "-o", self.library, SOURCE, "-ldl"],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            return f"{compiler} failed: {done.stderr.strip()[-200:]}"
        return ""

    def variables(self, name: str) -> dict[str, str]:
        """Return what a process must be started with to have the clock of that name."""
        if self.why_not:
            return {}
        self.shift(name, 0)
        return {
            "LD_PRELOAD": os.fspath(self.library),
            "CLOCK_SHIFT": os.fspath(self.file(name)),
        }

    def shift(self, name: str, seconds: int) -> None:
        """Set a clock ahead, or back: of those too that run already."""
        # Written over in place, as it is mapped.
        descriptor = os.open(self.file(name), os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(descriptor, SECONDS.pack(seconds), 0)
        os.close(descriptor)

    def set_right(self) -> None:
        for file in self.folder.glob("*.shift"):
            self.shift(file.stem, 0)

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.shift"
