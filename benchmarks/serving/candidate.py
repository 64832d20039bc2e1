"""One server that runs the shop, as `up` would keep it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from honcho.environ import parse_procfile

from benchmarks.commanding.servers import wait_until
from embedded import processes
from embedded.bench import PEERS
from embedded.child import Program, spawn
from embedded.folders import ROOT
from embedded.logins import for_process
from tests.support.processes import answers

OURS = "ours"
"""What the Procfile has."""


class Candidate:
    """A server of some *processes*, on a port of its own, once `start` was called."""

    def __init__(
        self,
        name: str,
        count: int,
        port: int,
        environment: Mapping[str, str],
        log: Path,
    ) -> None:
        self.name = name
        self.count = count
        self.port = port
        own = {**environment, "PORT": str(port), "WEB_PROCESSES": str(count)}
        words = [sys.executable, "-m", "benchmarks.serving.start"]
        words += [name, str(port), str(count)]
        if name == OURS:
            procfile = parse_procfile((ROOT / "Procfile").read_text())
            words = ["sh", "-c", procfile.processes["web"]]
        else:
            own["PYTHONPATH"] = os.pathsep.join(map(os.fspath, (ROOT, PEERS)))
        self.program = Program(
            name="web",
            command=words,
            environment=for_process("web", own),
            folder=ROOT,
            log=log,
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it and return after how many seconds it answered."""
        began = time.monotonic()
        self.process = spawn(self.program)
        url = f"http://127.0.0.1:{self.port}/healthz"
        wait_until(lambda: self.answers(url), f"{self.name}: {self.program.log}")
        return time.monotonic() - began

    def answers(self, url: str) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended: {self.program.log.read_text()[-2000:]}")
        return answers(url)

    def restart(self) -> float:
        """End it by TERM and start it again; return how long it took to end."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
        took = time.monotonic() - began
        self.kill()
        self.start()
        return took

    def kill(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def megabytes(self) -> float:
        """Return the memory of all its processes, what they share counted once."""
        assert self.process is not None
        total = 0
        for process in processes.in_session(self.process.pid):
            with suppress(OSError):
                text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
                line = next(x for x in text.splitlines() if x.startswith("Pss:"))
                total += int(line.split()[1])
        return total / 1024
