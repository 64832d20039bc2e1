"""A real `python -m embedded` in a data folder of its own, for the tests."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from embedded.folders import ROOT, Folders
from embedded.record import Record, read_running

WEB = "exec python -m http.server --bind 127.0.0.1 $PORT"
SLEEPER = "exec sleep 1000"
PROCFILE = {"web": WEB, "worker": SLEEPER}
STARTING = 180.0


def wait_for(condition: Callable[[], object], *, within: float = 20.0) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "what the test waits for did not happen"
        time.sleep(0.02)


@dataclass(slots=True)
class Desk:
    """A checkout's user: starts `up` and other commands, all on one data folder."""

    state: Path
    variables: dict[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    ups: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def folders(self) -> Folders:
        return Folders(self.state)

    @property
    def running(self) -> Record:
        record = read_running(self.folders)
        assert record is not None
        return record

    def child(self, name: str) -> int:
        """Return the pid of the running child called *name*."""
        found = [each for each in self.running.children if each.name == name]
        return found[0].process.pid if found and found[0].process else 0

    def up(self, commands: Mapping[str, str] = PROCFILE) -> "Output":
        """Start `up` and return when it says that it is up."""
        output = self.begin_up(commands)
        wait_for(output.is_up, within=STARTING)
        return output

    def begin_up(self, commands: Mapping[str, str] = PROCFILE) -> "Output":
        procfile = self.state.parent / "Procfile"
        lines = [f"{name}: {command}" for name, command in commands.items()]
        procfile.write_text("\n".join(lines))
        with (self.state.parent / "output").open("w") as output:
            up = subprocess.Popen(
                self.command("up", "--procfile", os.fspath(procfile)),
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        self.ups.append(up)
        return self.output

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=STARTING,
        )

    def command(self, *arguments: str) -> list[str]:
        return [*self.prefix, sys.executable, "-m", "embedded", *arguments]

    @property
    def output(self) -> "Output":
        """What the last `up` has printed so far."""
        return Output(self.state.parent / "output", self.ups[-1])

    @property
    def environment(self) -> dict[str, str]:
        """What a `.env` or a surrounding test run sets is set to nothing."""
        unset = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PORT"), "")
        own = {"STATE_DIR": os.fspath(self.state), "PYTHONDONTWRITEBYTECODE": "1"}
        return {**os.environ, **unset, **own, **self.variables}

    def close(self) -> None:
        for up in self.ups:
            if up.poll() is None:
                up.send_signal(signal.SIGTERM)
            up.wait(timeout=STARTING)
        if any(up.returncode == -signal.SIGKILL for up in self.ups):
            self.run("down")


@dataclass(slots=True)
class Output:
    """What an `up` has printed, and the process that printed it."""

    path: Path
    process: subprocess.Popen[str]

    @property
    def text(self) -> str:
        return self.path.read_text()

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.text
        return "Ctrl-C stops it" in self.text

    @property
    def login(self) -> str:
        """The address that lets one browser in."""
        found = re.search(r"^  (http://127\.0\.0\.1:\d+/login/\S+)$", self.text, re.M)
        assert found is not None, self.text
        return found[1]

    @property
    def port(self) -> int:
        found = re.search(r"up at http://127\.0\.0\.1:(\d+)", self.text)
        assert found is not None, self.text
        return int(found[1])


@contextmanager
def desk_in(folder: Path, variables: Mapping[str, str]) -> Iterator[Desk]:
    state = folder / "data folder" / "local"
    state.parent.mkdir()
    desk = Desk(state, dict(variables))
    try:
        yield desk
    finally:
        desk.close()
