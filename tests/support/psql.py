"""psql, as somebody types into it, with the rights of a role."""

import os
import shutil
import subprocess
from pathlib import Path

import sqlalchemy as sa

from embedded.binaries import postgres_binaries
from embedded.errors import BinariesMissing
from tests.support.databases import as_role


def find_psql() -> str | None:
    """Return the path of psql: beside the server's programs, or on the PATH."""
    try:
        beside = Path(postgres_binaries(os.environ)) / "psql"
    except BinariesMissing:
        return shutil.which("psql")
    return os.fspath(beside) if beside.is_file() else shutil.which("psql")


def type_into_psql(database: str, role: str, *typed: str) -> str:
    """Return what psql prints for each line of *typed*; fail where one is refused."""
    psql = find_psql()
    assert psql is not None
    url = sa.make_url(as_role(database, role)).set(drivername="postgresql")
    lines = [word for line in typed for word in ("--command", line)]
    done = subprocess.run(
        [
            *(psql, "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--pset", "pager=off"),
            *("--dbname", url.render_as_string(hide_password=False), *lines),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
