"""`./recount bench` and `faults`: become a program beside the shop's own packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from embedded.console import Console
from embedded.errors import EmbeddedError
from embedded.folders import ROOT

LOCK = ROOT / "benchmarks" / "requirements.lock"
PEERS = ROOT / ".tools" / "benchmarks"
"""Beside `.venv`, not in it, so that no process of the shop can import them."""

BENCHMARKS = {
    "append": "benchmarks.append",
    "commands": "benchmarks.commands",
    "load": "benchmarks.load_streams",
    "web": "benchmarks.web_servers",
}
ALONE = {"commands"}
"""The benchmarks without a peer that must be installed."""


def bench(arguments: list[str]) -> NoReturn:
    """Install the peers of the benchmarks, then become one of the benchmarks."""
    if not arguments or arguments[0] not in BENCHMARKS:
        names = ", ".join(BENCHMARKS)
        raise EmbeddedError(f"bench wants one of {names}; --help behind it explains it")
    name, *options = arguments
    if name not in ALONE:
        install()
    become(BENCHMARKS[name], options, paths=[ROOT, PEERS])


def faults(arguments: list[str]) -> NoReturn:
    """Become the fault run, which has servers of its own."""
    become("tests.faults", arguments, paths=[ROOT])


def become(module: str, options: list[str], paths: list[Path]) -> NoReturn:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(os.fspath, paths))}
    command = [sys.executable, "-P", "-m", module, *options]
    os.execve(command[0], command, environment)


def install() -> None:
    """Install what the lock pins, unless it is there. Raises EmbeddedError."""
    stamp = PEERS / "recount-installed"
    if stamp.exists() and stamp.read_text() == LOCK.read_text():
        return
    Console().say("installing what benchmarks/requirements.lock pins")
    partial = PEERS.with_name("benchmarks.partial")
    for folder in (partial, PEERS):
        shutil.rmtree(folder, ignore_errors=True)
    uv = [os.fspath(ROOT / ".tools" / "uv" / "bin" / "uv"), "pip", "install", "--quiet"]
    uv += ["--require-hashes", "--no-deps", "--target", os.fspath(partial)]
    uv += ["--python", sys.executable, "-r", os.fspath(LOCK)]
    own = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "1"}
    if subprocess.run(uv, env=os.environ | own).returncode:
        raise EmbeddedError("the installation failed; the next run starts again")
    (partial / "recount-installed").write_text(LOCK.read_text())
    partial.rename(PEERS)
