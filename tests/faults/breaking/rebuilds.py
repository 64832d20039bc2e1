"""Read models are rebuilt while they are read, and whoever does it is killed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.faults.desk import Desk
from tests.faults.kind import Kind, Seconds, Strike

READ_MODELS = ("order_list", "order_details", "customers", "accounts", "transfers")
HALF_WAY: Seconds = (1.0, 4.0)
TO_THE_END: Seconds = (5.0, 8.0)


def rebuilding(at_once: int) -> Strike:
    """Rebuild a read model so many times at once; what is not done then is killed."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        name = chance.choice(READ_MODELS)
        running = [start(desk, name) for _ in range(at_once)]
        try:
            yield f"{name}, {at_once} at once"
        finally:
            for process in running:
                process.kill()
                process.wait()

    return strike


def start(desk: Desk, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "webapp.cli", "rebuild", name]
    program = desk.programs.program("rebuild", command)
    with program.log.open("ab") as log:
        return subprocess.Popen(
            program.command,
            cwd=program.folder,
            env=program.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


KINDS = (
    Kind("kill a rebuild", HALF_WAY, rebuilding(1)),
    Kind("rebuild a read model", TO_THE_END, rebuilding(1)),
    Kind("two rebuilds at once", TO_THE_END, rebuilding(2)),
)
