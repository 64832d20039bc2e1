"""
The programs of servers that no Python package brings: built once, kept in a cache.

The cache is `recount/stores` below XDG_CACHE_HOME, or below `~/.cache`. A program lies
in a folder that is named after it and after a hash of all that it is made from.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_SECONDS = 1200.0
"""The maximum for one command of a build: a first build downloads all of its parts."""

SHOWN_LINES = 12
MAX_LETTERS = 300
"""The maximum of letters of a line that is told."""


class Unavailable(Exception):
    """A program cannot be built here: a tool is missing, or a registry is away."""


class BuildFailed(Exception):
    """A build failed by our own fault, or what a registry gave is not right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """
    How a program is built.

    *inputs* are the files that it is made from, *options* what its commands are given
    besides. *tools* are looked for on the PATH. *make* fills the folder that it is
    given; it raises Unavailable and BuildFailed.
    """

    name: str
    inputs: Sequence[Path]
    options: Sequence[str]
    tools: Sequence[str]
    make: Callable[[Path], None]

    @property
    def folder(self) -> Path:
        """Where the program lies once it is built."""
        digest = hashlib.sha256("\0".join([platform.machine(), *self.options]).encode())
        for path in self.inputs:
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return cache() / f"{self.name}-{digest.hexdigest()[:16]}"

    @property
    def reason(self) -> Path:
        """The file that says why the last build was not possible."""
        return self.folder.with_suffix(".unavailable")

    def find(self) -> Path:
        """Return the folder of the program. Raises Unavailable if it is not built."""
        if self.folder.is_dir():
            return self.folder
        self.look_for_tools()
        if self.reason.exists():
            raise Unavailable(self.reason.read_text())
        raise Unavailable(
            f"{self.name} is not built; build it with ./recount test --stores"
        )

    def build(self) -> Path:
        """
        Return the folder of the program, built now if it is not there.

        It is made under another name and then renamed, so that a build that was
        stopped half way leaves nothing that looks whole. Two runs do not build at the
        same time. Raises Unavailable and BuildFailed.
        """
        folder = self.folder
        if folder.is_dir():
            return folder
        self.look_for_tools()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / f"{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.is_dir():
                return folder
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            self.reason.unlink(missing_ok=True)
            try:
                self.make(partial)
            except Unavailable as error:
                self.reason.write_text(str(error))
                raise
            partial.rename(folder)
        return folder

    def look_for_tools(self) -> None:
        missing = [tool for tool in self.tools if shutil.which(tool) is None]
        if missing:
            raise Unavailable(f"{self.name} needs {', '.join(missing)} on the PATH")


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "recount" / "stores"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command of a build ended, and what it printed."""

    status: int
    output: str

    @property
    def end(self) -> str:
        """The last lines of the output, for a message."""
        return "\n".join(self.output.strip().splitlines()[-SHOWN_LINES:])

    @property
    def first_error(self) -> str:
        """The first line that says what is wrong, in the output of Maven or of Go."""
        lines = [
            line
            for line in self.output.splitlines()
            if line.strip() and not line.startswith("go: downloading")
        ]
        marked = [line for line in lines if "[ERROR]" in line]
        line = (marked or lines or [f"status {self.status}"])[0]
        return line.rpartition("[ERROR]")[2].strip()[:MAX_LETTERS]


def run(
    command: Sequence[str | os.PathLike[str]],
    folder: Path,
    variables: Mapping[str, str] | None = None,
) -> Ran:
    """
    Run *command* in *folder*, with the caller's environment and *variables*.

    The settings for proxies and mirrors of registries are those of the machine. Raises
    Unavailable where the command does not end in MAX_SECONDS.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=MAX_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{command[0]} did not end in {MAX_SECONDS:.0f} s") from error
    return Ran(status=done.returncode, output=done.stdout)
