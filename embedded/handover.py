"""Runs the order desk's own commands in the environment of the running `up`."""

import os
import subprocess
import sys

from embedded import record
from embedded.environment import variables_given
from embedded.errors import NotUp
from embedded.folders import ROOT, folders_from

OF_THE_SHOP = ("CURRENCY", "TIMEZONE", "LOCALE")
"""Fixed when the shop is set up: another value would falsify its history."""


def become(arguments: list[str]) -> None:
    """Become `python -m cli`; signals and the terminal are then its own."""
    command = command_line(arguments)
    # A command's help is shown even if nothing is up.
    joined = variables_given() if "--help" in arguments else environment()
    os.execve(command[0], command, {**joined, "PYTHONPATH": os.fspath(ROOT)})


def run(arguments: list[str]) -> int:
    return subprocess.run(command_line(arguments), env=environment()).returncode


def migrate() -> int:
    """Run the migrations, even if none is due: they repair rights, too."""
    command = [sys.executable, "-P", "-m", "alembic", "upgrade", "head"]
    return subprocess.run(command, cwd=ROOT, env=environment()).returncode


def command_line(arguments: list[str]) -> list[str]:
    return [sys.executable, "-P", "-m", "cli", *arguments]


def environment() -> dict[str, str]:
    """
    Return what a command needs to reach the running system.

    If the caller's DATABASE_URL names another database, nothing is taken over: a
    mixture of two systems would be worse than either. Raises NotUp.
    """
    own = variables_given()
    running = record.read_running(folders_from(own))
    joined = running.environment if running else {}
    address = own.get("DATABASE_URL")
    if address and address != joined.get("DATABASE_URL"):
        joined = {}
    elif "DATABASE_URL" not in joined:
        raise NotUp
    if joined:
        # A variable that `up` does not have is at its default, whatever the caller set.
        own = {name: value for name, value in own.items() if name not in OF_THE_SHOP}
    return {**own, **joined, "PYTHONPATH": os.fspath(ROOT)}
