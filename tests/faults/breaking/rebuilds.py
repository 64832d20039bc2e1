"""Read models are rebuilt while they are read, and whoever does it is killed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

import sqlalchemy as sa

from tests.faults.desk import Desk
from tests.faults.kind import MISSED, Kind, Seconds, Strike
from tests.support.waiting import wait_until

READ_MODELS = (
    "order_list",
    "order_details",
    "customers",
    "accounts",
    "transfers",
    "figures",
    "sales",
    "sold_lines",
)
READERS = ("accounts_g1", "transfers_g1", "process:transfers", "process:refunds")
AHEAD = """
    UPDATE public.subscriptions SET checkpoint = public.last_drawn() + :by
    WHERE name = :name
"""
REPAIR = "SELECT public.repair_checkpoint(:name, 'the rig', 'a fault')"
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
    command = [sys.executable, "-P", "-m", "cli", "rebuild", name]
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


@contextmanager
def move_ahead(desk: Desk, chance: Random) -> Iterator[str]:
    """Set a reader's checkpoint ahead of the log, as after a restore, and repair it."""
    name, by = chance.choice(READERS), chance.choice((1, 300))
    if not ask(desk, AHEAD, name=name, by=by):
        yield f"{MISSED}: nobody answers"
        return
    try:
        yield f"{name}, by {by}"
    finally:
        wait_until(lambda: ask(desk, REPAIR, name=name), "a checkpoint is repaired")


def ask(desk: Desk, statement: str, **values: object) -> bool:
    """Return whether *statement* was run as the owner: the server may be away."""
    with suppress(sa.exc.OperationalError), desk.engine().begin() as connection:
        connection.execute(sa.text(statement), values)
        return True
    return False


KINDS = (
    Kind("a checkpoint ahead of the log", HALF_WAY, move_ahead),
    Kind("kill a rebuild", HALF_WAY, rebuilding(1)),
    Kind("rebuild a read model", TO_THE_END, rebuilding(1)),
    Kind("two rebuilds at once", TO_THE_END, rebuilding(2)),
)
