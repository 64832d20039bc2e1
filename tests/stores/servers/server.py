"""What each server of the tests can do: a fault test is written once for all."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embedded import processes
from embedded.child import Program, spawn
from embedded.logs import last_lines
from embedded.processes import Process

PATIENCE = 90.0
"""Seconds until a server must answer; a loaded machine takes its time."""
PAUSE = 0.02


class ServerFailed(Exception):
    """A server ended at its start, or did not answer in time."""


class Server(ABC):
    """
    A server with data in *folder*, at the same *url* for as long as it exists.

    Its methods are called by the main thread: the system ends a server together with
    the thread that started it.
    """

    folder: Path
    """All that the server keeps. It is copied and replaced as a whole."""
    stop_signal = signal.SIGTERM
    grace = 15.0
    """Seconds from the request to stop to the kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.is_paused = False

    @property
    @abstractmethod
    def url(self) -> str:
        """The address that a setting of the shop would have."""

    @abstractmethod
    def program(self) -> Program:
        """Return what to run; the data is prepared if it is not there."""

    @abstractmethod
    def answers(self) -> bool:
        """Return whether the server is ready for every question."""

    def members(self) -> set[Process]:
        """Return all processes of the server."""
        if self.process is None:
            return set()
        return processes.in_session(self.process.pid)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the server and return when it answers. Raises ServerFailed."""
        if threading.current_thread() is not threading.main_thread():
            raise ServerFailed("only the main thread may start a server")
        if self.is_running:
            return
        program = self.program()
        program.before_start()
        self.process, self.is_paused = spawn(program), False
        end = time.monotonic() + PATIENCE
        while not self.answers():
            ended = not self.is_running
            if ended or time.monotonic() > end:
                self.kill()
                what = "ended" if ended else f"did not answer in {PATIENCE:.0f} s"
                shown = "\n".join(last_lines(program.log, 20))
                raise ServerFailed(
                    f"{program.name} {what}; the end of its log:\n{shown}"
                )
            time.sleep(PAUSE)

    def stop(self) -> None:
        """Ask the server to end, as an operator does; kill it if that takes long."""
        if self.process is None:
            return
        self.resume()
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(timeout=self.grace)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """Kill all processes of the server at once, as `kill -9` does."""
        if self.process is None:
            return
        while found := self.members():
            for member in found:
                member.send(signal.SIGKILL)
            time.sleep(PAUSE)
        self.process.wait()
        self.process, self.is_paused = None, False

    def pause(self) -> None:
        """Stop all processes by SIGSTOP: connections are accepted, nothing answers."""
        self.signal_all(signal.SIGSTOP)
        self.is_paused = True

    def resume(self) -> None:
        """Let a paused server go on."""
        if self.is_paused:
            self.signal_all(signal.SIGCONT)
            self.is_paused = False

    def signal_all(self, number: signal.Signals) -> None:
        for member in self.members():
            member.send(number)

    def restart(self) -> None:
        """Stop the server and start it again on the same data."""
        self.stop()
        self.start()

    def ensure_running(self) -> None:
        """Bring the server back into service, whatever a test has done to it."""
        self.resume()
        self.start()

    def save(self, copy: Path) -> None:
        """
        Copy the data to *copy*, which must not exist.

        The server is stopped for it and started again, if it runs.
        """
        with self.standing_still():
            subprocess.run(["cp", "-a", "--", self.folder, copy], check=True)

    def restore(self, copy: Path) -> None:
        """Replace the data by an older *copy*, as an operator does with a backup."""
        with self.standing_still():
            shutil.rmtree(self.folder, ignore_errors=True)
            subprocess.run(["cp", "-a", "--", copy, self.folder], check=True)

    def empty(self) -> None:
        """Delete the data, as when a disk is lost; a new server starts in its place."""
        with self.standing_still():
            shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        was_running = self.is_running
        self.stop()
        yield
        if was_running:
            self.start()

    def close(self) -> None:
        """Stop the server for good."""
        self.stop()

    def rss(self) -> int:
        """Return the bytes of memory of its processes; what they share counts twice."""
        pages = 0
        for member in self.members():
            statm = Path(f"/proc/{member.pid}/statm").read_text().split()
            pages += int(statm[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class GivenServer(Server):
    """A server at an address from the environment: tests use it, and end nothing."""

    def __init__(self, url: str) -> None:
        super().__init__(Path("/nonexistent"))
        self.given_url = url

    @property
    def url(self) -> str:
        return self.given_url

    def program(self) -> Program:
        pytest.skip("a server that was given by its address is not started or stopped")

    def answers(self) -> bool:
        return True

    @property
    def is_running(self) -> bool:
        return True

    def stop(self) -> None:
        self.program()

    def close(self) -> None:
        """Leave it to those who started it."""

    kill = pause = stop

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        self.program()
        yield


def free_port() -> int:
    """Return a port of the loopback that was free a moment ago."""
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        return int(candidate.getsockname()[1])
