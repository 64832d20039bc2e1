"""`./recount test`: the suite and the linters, on servers of their own."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from embedded import environment as variables
from embedded import in_memory, leftovers, record
from embedded.console import Console
from embedded.errors import AlreadyRunning, StopRequested
from embedded.folders import ROOT, Folders, folders_from
from embedded.postgres import FOR_TESTS
from embedded.servers import start_servers
from embedded.supervisor import Supervisor

LINTERS = (
    ("ruff check", "ruff check . recount"),
    ("ruff format", "ruff format --check . recount"),
    ("mypy", "mypy --strict"),
    ("lint-imports", "lint-imports"),
    ("deptry", "deptry cli webapp tasks readmodels domain eventstore embedded"),
    ("deptry engine", "deptry eventstore --config eventstore/pyproject.toml"),
)

MAX_SECONDS = 7200.0
OF_STORES = ("TEST_SEARCH_URL", "TEST_DOCUMENTS_URL", "TEST_CACHE_URL")
"""Servers that the tests of read stores are lent instead of those they build."""

MAX_BESIDE = 4
"""The maximum of concurrent pytests; each has a database for each test."""


def test(arguments: list[str]) -> int:
    """Run everything, or pytest alone with *arguments*; return the exit status."""
    given, console = variables.variables_given(), Console()
    base = folders_from(given)
    own = own_variables(given)
    kept = Folders(base.state / "test")
    try:
        base.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Who runs a part of it runs it again, and finds the servers' data made.
        with (
            record.only_one(kept),
            nullcontext(kept) if arguments else in_memory.lend_folders(kept) as folders,
        ):
            folders.make()
            return Suite(console, folders).run(own, arguments)
    except AlreadyRunning:
        console.show(f"Another ./recount test runs already, from {kept.state}.")
        return 1


def own_variables(given: Mapping[str, str]) -> dict[str, str]:
    """Leave out the servers of a running `up`, or of a deployment: they have data."""
    return {
        key: given[key]
        for key in given
        if key in OF_STORES or not key.endswith(("_URL", "PORT"))
    }


@dataclass(frozen=True, slots=True)
class Result:
    """One step, how long it took, and whether it passed."""

    name: str
    seconds: float
    status: int

    def __str__(self) -> str:
        passed = "passed" if self.status == 0 else f"FAILED ({self.status})"
        return f"{self.seconds:6.1f} s  {self.name:13}  {passed}"


@dataclass(slots=True)
class Suite:
    """One run of the suite and the linters."""

    console: Console
    folders: Folders
    results: list[Result] = field(default_factory=list)

    def run(self, given: Mapping[str, str], arguments: list[str]) -> int:
        supervisor = Supervisor(self.console)
        with supervisor.signals_caught():
            try:
                leftovers.clear(self.folders)
                children = variables.for_children(
                    variables.without_postgres_defaults(given), self.folders
                )
                environment = start_servers(
                    supervisor, self.folders, children, FOR_TESTS
                )
                for name, command in steps(arguments):
                    self.step(supervisor, environment, name, command)
            except StopRequested:
                return 130
            finally:
                supervisor.stop_all()
                self.folders.forget_sockets()
                self.summarise()
        return int(any(result.status for result in self.results))

    def step(
        self,
        supervisor: Supervisor,
        environment: Mapping[str, str],
        name: str,
        command: Sequence[str],
    ) -> None:
        """Run one command on the terminal; Ctrl-C reaches it there as well."""
        self.console.say(" ".join(command))
        start = time.monotonic()
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "INT", *command], cwd=ROOT, env=environment
        )
        try:
            supervisor.tend_until(
                lambda: process.poll() is not None, what=name, within=MAX_SECONDS
            )
        finally:
            end(process)
        seconds = time.monotonic() - start
        self.results.append(Result(name, seconds, process.returncode))

    def summarise(self) -> None:
        for result in self.results:
            self.console.show(str(result))


def steps(arguments: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """
    Yield the checks with their names, except those that take minutes.

    `--long` is what does. `--stores` are the tests against the servers of read stores,
    which are built first; `--browser` are those of the pages in a real browser. More
    arguments go to pytest. With other *arguments* it is pytest alone.
    """
    if arguments == ["--long"]:
        # One after the other: they load all cores themselves.
        yield "long", ["pytest", "-m", "long"]
        return
    if arguments[:1] == ["--stores"]:
        yield "build", ["python", "-m", "tests.stores.servers"]
        chosen = ["-m", "stores and not long", *arguments[1:]]
        yield "stores", ["pytest", *chosen]
        return
    if arguments[:1] == ["--browser"]:
        # One after the other: they share a shop.
        chosen = ["-o", "testpaths=tests/browser", "-m", "browser", *arguments[1:]]
        yield "browser", ["pytest", *chosen]
        return
    if arguments:
        yield "pytest", ["pytest", *arguments]
        return
    # Quick checks first, so that their failures are shown before the races are run. One
    # a core. Twice as many were faster by a tenth, and races ran out of time.
    beside = f"-n{min(os.cpu_count() or 1, MAX_BESIDE)}"
    rest = "not long and not stores and not browser"
    yield "pytest", ["pytest", beside, "-m", f"not races and {rest}"]
    yield "races", ["pytest", beside, "-m", f"races and {rest}"]
    for name, command in LINTERS:
        yield name, command.split()


def end(process: subprocess.Popen[bytes]) -> None:
    """See that *process* ends: as by Ctrl-C, so that tests clear up; then by KILL."""
    for number in (None, signal.SIGINT, signal.SIGKILL):
        if number and process.poll() is None:
            os.kill(process.pid, number)
        try:
            process.wait(timeout=15 if number else 2)
        except subprocess.TimeoutExpired:
            continue
        return
