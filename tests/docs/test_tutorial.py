"""The tutorial's application runs, on the engine's wheel and the packages it needs."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.databases import ROOT, Databases
from tests.support.waiting import wait_until
from tests.support.wheels import ENGINE, Environment, build, install

PAGE = ROOT / "docs" / "tutorial.md"
README = ENGINE / "README.md"
DESK = ("cli", "domain", "embedded", "readmodels", "tasks", "webapp")
OF_THE_DESK = {"alembic", "celery", "click", "flask", "kombu", "redis"}
RUN = f"""
import importlib.util, os, runpy, sys
path, *sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(path))
runpy.run_path(path, run_name="__main__")
print(sys.modules["eventstore"].__file__, file=sys.stderr)
print(*sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
found = [n for n in {("eventstore", *DESK)} if importlib.util.find_spec(n)]
print(*found, file=sys.stderr)
"""
FILES = ("library.py", "steps.py", "desk.py")
SECRET = "of no use outside of the tests, 32+"


def blocks(language: str, page: Path = PAGE) -> list[str]:
    """Return all blocks of a page in a language, such as `text`."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.M | re.S)


def program(name: str = "library.py", page: Path = PAGE) -> str:
    """
    Return a program of a page: its blocks, with two empty lines between them.

    A block says in its first line which it belongs to; else it is of `library.py`.
    """
    found = blocks("python", page)
    named = {block: re.match(r"# ([a-z]+\.py)\n", block) for block in found}
    return "\n\n".join(
        block
        for block, first in named.items()
        if (first[1] if first else "library.py") == name
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("engine")
    return install(build("wheel", folder / "dist", ENGINE), folder / "environment")


@dataclass(frozen=True, slots=True)
class Run:
    """
    One run of a program in the environment, away from the checkout and its variables.

    *importable* has those of the engine and the desk's packages that Python finds.
    """

    output: str
    engine: Path
    imported: set[str]
    importable: list[str]


def start(
    environment: Environment, path: Path, url: str = "", log: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    # Whoever interrupts the tests leaves nothing running.
    command = ["setpriv", "--pdeathsig", "KILL", str(environment.python), "-I", "-c"]
    return subprocess.Popen(
        [*command, RUN, str(path), str(path)],
        cwd=path.parent,
        env={**os.environ, "LIBRARY_URL": url, "LIBRARY_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )


def run(environment: Environment, path: Path, url: str = "") -> Run:
    """Run the program at *path*, on the database at *url*, to its end."""
    process = start(environment, path, url)
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    engine, imported, importable = errors.splitlines()[-3:]
    return Run(output, Path(engine), set(imported.split()), importable.split())


@dataclass
class Library:
    """The tutorial's files in a folder, a database, and the run of its steps there."""

    environment: Environment
    folder: Path
    url: str
    steps: Run
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, name: str) -> subprocess.Popen[str]:
        """Start a program; what it logs is added to a file."""
        with (self.folder / "log").open("a") as log:
            path = self.folder / name
            process = start(self.environment, path, self.url, log=log.fileno())
        self.started.append(process)
        return process

    def close(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()

    def ask(self, query: str) -> str:
        """Return the answer to *query* as psql shows it."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            head = [column.name for column in cursor.description or ()]
            rows = cursor.fetchall()
        table = [head, *([str(value) for value in row] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        are_texts = [isinstance(value, str) for value in rows[0]]
        lines = [
            " | ".join(
                cell.ljust(width) if is_text or line is head else cell.rjust(width)
                for cell, width, is_text in zip(line, widths, are_texts, strict=True)
            )
            for line in table
        ]
        lines.insert(1, "-+-".join("-" * width for width in widths))
        framed = (
            f"-{line}-" if line[0] == "-" else f" {line}".rstrip() for line in lines
        )
        return "\n".join(framed) + "\n"

    def count(self, query: str) -> int:
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module")
def library(
    environment: Environment,
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Library]:
    """The library, after the steps of the page, in an empty database of its own."""
    with databases.lend_empty() as lent:
        # As psycopg and SQLAlchemy both take it.
        made = sa.make_url(lent).set(drivername="postgresql")
        url = made.render_as_string(hide_password=False)
        folder = tmp_path_factory.mktemp("library")
        for file in FILES:
            (folder / file).write_text(program(file))
        steps = run(environment, folder / "steps.py", url)
        library = Library(environment, folder, url, steps)
        yield library
        library.close()


def test_the_application_runs_from_the_wheel(library: Library) -> None:
    assert library.steps.output == "".join(blocks("text"))
    assert library.environment.library in library.steps.engine.parents
    assert {*DESK, *OF_THE_DESK} & library.steps.imported == set()
    assert library.steps.importable == ["eventstore"]


LOANS = "SELECT sum(loans) FROM readmodels.readers"


@pytest.mark.races
def test_a_program_that_is_killed_loses_nothing_and_does_nothing_twice(
    library: Library,
) -> None:
    (expected,) = blocks("text psql")
    (query,) = re.findall(r"-c '(SELECT .*)'", PAGE.read_text())

    def loans() -> int:
        return library.count(LOANS)

    before = loans()
    running = library.start("library.py")
    desk = library.start("desk.py")
    # It is somewhere in the middle.
    wait_until(lambda: loans() > before, "it lends")
    running.kill()
    running.wait()
    running = library.start("library.py")
    assert desk.wait(60) == 0
    assert library.start("desk.py").wait(60) == 0
    wait_until(lambda: library.ask(query) == expected, "all is done")
    # Nothing waits that would change it.
    waiting = "SELECT count(*) FROM commands WHERE status = 'accepted'"
    assert library.count(waiting) == 0
    assert library.ask(query) == expected

    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0
    log = (library.folder / "log").read_text()
    assert log.count("started") == 2
    assert "INFO:eventstore.runtime:stopped" in log


def test_the_program_of_the_readme_runs_from_the_wheel(
    environment: Environment, tmp_path: Path
) -> None:
    path = tmp_path / "program.py"
    path.write_text(program(page=README))
    done = run(environment, path)

    assert done.output == "".join(blocks("text", README))
    assert environment.library in done.engine.parents


def test_the_wheel_asks_for_the_four_packages_of_the_engine(
    environment: Environment,
) -> None:
    assert environment.asked_for == {"cryptography", "msgspec", "psycopg", "sqlalchemy"}
    assert OF_THE_DESK & environment.packages == set()


def test_the_application_is_short() -> None:
    """All its lines count, also the empty ones."""
    assert len(program().splitlines()) <= 150
