"""The tutorial's application runs, on the engine's wheel and the packages it needs."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.databases import ROOT, Databases
from tests.support.wheels import ENGINE, Environment, build, install

PAGE = ROOT / "docs" / "tutorial.md"
README = ENGINE / "README.md"
DESK = ("cli", "domain", "embedded", "readmodels", "tasks", "webapp")
OF_THE_DESK = {"alembic", "celery", "click", "flask", "kombu", "redis"}
RUN = f"""
import importlib.util, runpy, sys
path, *sys.argv = sys.argv[1:]
runpy.run_path(path, run_name="__main__")
print(sys.modules["eventstore"].__file__, file=sys.stderr)
print(*sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
found = [n for n in {("eventstore", *DESK)} if importlib.util.find_spec(n)]
print(*found, file=sys.stderr)
"""


def blocks(language: str, page: Path = PAGE) -> list[str]:
    """Return all blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.M | re.S)


def program(page: Path = PAGE) -> str:
    return "\n\n".join(blocks("python", page))


def lines_of_code() -> int:
    """Return how many lines have more than a docstring or nothing."""
    code = re.sub(r'"""[^"]*"""', "", program())
    return sum(1 for line in code.splitlines() if line.strip())


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("engine")
    return install(build("wheel", folder / "dist", ENGINE), folder / "environment")


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    """The address of an empty database, as psycopg and SQLAlchemy both take it."""
    with databases.lend_empty() as url:
        made = sa.make_url(url).set(drivername="postgresql")
        yield made.render_as_string(hide_password=False)


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


def run(environment: Environment, page: Path, folder: Path, *arguments: str) -> Run:
    """Run the program of *page* with *arguments*."""
    path = folder / "program.py"
    path.write_text(program(page))
    done = subprocess.run(
        [environment.python, "-I", "-c", RUN, path, path, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    engine, imported, importable = done.stderr.splitlines()
    return Run(done.stdout, Path(engine), set(imported.split()), importable.split())


def test_the_application_runs_from_the_wheel(
    environment: Environment, url: str, tmp_path: Path
) -> None:
    done = run(environment, PAGE, tmp_path, url)

    assert done.output == "".join(blocks("text"))
    assert environment.library in done.engine.parents
    assert {*DESK, *OF_THE_DESK} & done.imported == set()
    assert done.importable == ["eventstore"]


def test_the_program_of_the_readme_runs_from_the_wheel(
    environment: Environment, tmp_path: Path
) -> None:
    done = run(environment, README, tmp_path)

    assert done.output == "".join(blocks("text", README))
    assert environment.library in done.engine.parents


def test_the_wheel_asks_for_the_four_packages_of_the_engine(
    environment: Environment,
) -> None:
    assert environment.asked_for == {"cryptography", "msgspec", "psycopg", "sqlalchemy"}
    assert OF_THE_DESK & environment.packages == set()


def test_the_application_is_short() -> None:
    print(f"{lines_of_code()} lines of code")

    assert lines_of_code() < 200
