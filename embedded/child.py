"""One supervised process: started, restarted when it ends, and stopped."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from embedded import processes
from embedded.identity import SAME_USER, Identity
from embedded.logs import open_log
from embedded.processes import Process
from embedded.record import RecordedChild

FIRST_PAUSE = 0.1
MAX_PAUSE = 10.0
RAN_WELL = 10.0
GRACE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command to run, and how to stop it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    identity: Identity = SAME_USER
    stop_signal: signal.Signals = signal.SIGTERM
    hurried_grace: float = 0.5
    before_start: Callable[[], None] = lambda: None
    needs: Path | None = None
    """A socket or file that it makes: if it disappears, the process is restarted."""
    repair: Callable[[], str] = lambda: ""
    """
    Called after two deaths in a row: removes what keeps it from starting, and returns a
    sentence that says what was done, or nothing.
    """


@dataclass(slots=True)
class Child:
    """A program, and the process that runs it now, if one does."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    recorded: Process | None = None
    since: float = field(default_factory=time.time)
    restarts: int = 0
    deaths_in_a_row: int = 0
    start_at: float = 0.0
    is_stopping: bool = False
    ended_with: int = 0
    started_at: float = 0.0
    was_reachable: bool = False
    error: str = ""

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def state(self) -> str:
        if self.process:
            return "stopping" if self.is_stopping else "running"
        return "stopped" if self.is_stopping else "waiting"

    @property
    def is_running(self) -> bool:
        return self.process is not None

    def as_recorded(self) -> RecordedChild:
        return RecordedChild(
            name=self.name,
            state=self.state,
            since=self.since,
            restarts=self.restarts,
            process=self.recorded,
        )

    def start(self) -> None:
        """
        Start the process; if the system refuses, it is tried again later.

        A full disk, or a full table of processes, must not end the supervisor.
        """
        self.was_reachable = False
        try:
            self.program.before_start()
            self.process = spawn(self.program)
        except OSError as error:
            self.error = str(error)
            self.plan_next()
            return
        self.error = ""
        self.recorded = processes.find(self.process.pid)
        self.since, self.started_at = time.time(), time.monotonic()

    def note_death(self) -> bool:
        """Return whether the process has just ended, and plan the next one."""
        if self.process is None or not has_ended(self.process):
            return False
        self.end_group()
        self.ended_with = self.process.wait()
        self.process, self.recorded, self.since = None, None, time.time()
        if time.monotonic() - self.started_at >= RAN_WELL:
            self.deaths_in_a_row = 0
        self.plan_next()
        return True

    def plan_next(self) -> None:
        self.deaths_in_a_row += 1
        self.start_at = time.monotonic() + pause_after(self.deaths_in_a_row)

    def has_become_unreachable(self) -> bool:
        """Return whether its socket or port was there, and is gone."""
        if self.process is None or self.is_stopping or self.program.needs is None:
            return False
        is_reachable = self.program.needs.exists()
        is_gone = self.was_reachable and not is_reachable
        self.was_reachable = is_reachable
        return is_gone

    def restart_if_due(self) -> bool:
        """Start the process again, once its pause is over."""
        if self.process or self.is_stopping or time.monotonic() < self.start_at:
            return False
        self.restarts += 1
        self.start()
        return True

    def ask_to_stop(self) -> None:
        self.is_stopping = True
        self.ask_to_end()

    def ask_to_end(self) -> None:
        """Signal only the leader: with its children, Celery could not end warmly."""
        if self.process:
            self.process.send_signal(self.program.stop_signal)

    def end_group(self) -> None:
        """Kill the process group; its id is valid until the leader is reaped."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def how_it_ended(self) -> str:
        if self.error:
            return f"could not be started ({self.error})"
        if self.ended_with < 0:
            return f"was ended by {signal.Signals(-self.ended_with).name}"
        return f"ended with status {self.ended_with}"


def spawn(program: Program) -> subprocess.Popen[bytes]:
    """
    Start *program* in a session of its own, to end when we do.

    The terminal's Ctrl-C reaches us alone, so that we stop it in order; and the
    kernel sends it the stop signal if we are killed.
    """
    number = program.stop_signal.name.removeprefix("SIG")
    identity = program.identity
    with open_log(program.log) as log:
        return subprocess.Popen(
            [*identity.prefix, "setpriv", "--pdeathsig", number, *program.command],
            cwd=program.folder,
            env=program.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **identity.credentials,
        )


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Return whether *process* has ended, without reaping it."""
    if process.returncode is not None:
        return True
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, options) is not None


def pause_after(deaths: int) -> float:
    return min(FIRST_PAUSE * (1 << min(deaths - 1, 10)), MAX_PAUSE)
