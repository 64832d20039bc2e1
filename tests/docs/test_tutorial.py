"""The tutorial's application runs, from the wheel, with nothing but what that needs."""

import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.databases import ROOT, Databases
from tests.support.wheels import Environment, build, install

PAGE = ROOT / "docs" / "tutorial.md"
OURS = {"domain", "embedded", "readmodels", "tasks", "webapp"}
OF_THE_DESK = {"alembic", "celery", "click", "flask", "kombu", "redis"}
RUN = """
import runpy, sys
path, *sys.argv = sys.argv[1:]
runpy.run_path(path, run_name="__main__")
print(sys.modules["eventstore"].__file__, file=sys.stderr)
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def blocks(language: str) -> list[str]:
    """Return all blocks of the page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


def program() -> str:
    return "\n\n".join(blocks("python"))


def lines_of_code() -> int:
    """Return how many lines have more than a docstring or nothing."""
    code = re.sub(r'"""[^"]*"""', "", program())
    return sum(1 for line in code.splitlines() if line.strip())


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("wheel")
    return install(build(folder), folder / "environment")


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    """The address of an empty database, as psycopg and SQLAlchemy both take it."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    made = sa.make_url(databases.create(name)).set(drivername="postgresql")
    yield made.render_as_string(hide_password=False)
    databases.drop(name)


def test_the_application_runs_from_the_wheel(
    environment: Environment, url: str, tmp_path: Path
) -> None:
    path = tmp_path / "lending.py"
    path.write_text(program())
    run = subprocess.run(
        [environment.python, "-I", "-c", RUN, path, path, url],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout == "".join(blocks("text"))
    where, modules = run.stderr.splitlines()
    assert environment.library in Path(where).parents
    assert (OURS | OF_THE_DESK) & set(modules.split()) == set()


def test_the_wheel_asks_for_the_four_packages_of_the_engine(
    environment: Environment,
) -> None:
    assert environment.asked_for == {"cryptography", "msgspec", "psycopg", "sqlalchemy"}
    assert OF_THE_DESK & environment.packages == set()


def test_the_wheel_tells_that_it_has_types(environment: Environment) -> None:
    assert (environment.library / "eventstore" / "py.typed").exists()


def test_the_application_is_short() -> None:
    print(f"{lines_of_code()} lines of code")

    assert lines_of_code() < 200
