"""Brings the database to the newest revision, asking Alembic only if it is behind."""

import hashlib
from collections.abc import Mapping

import psycopg

from embedded.child import Program
from embedded.errors import CannotStart
from embedded.folders import ROOT, Folders
from tasks.shop.connections import connect
from tasks.shop.migrations import mismatch_of
from tasks.shop.setting_values import database_url

ROOMS = ("alembic", "domain", "eventstore", "readmodels", "tasks/shop")
"""What tables and views are made from, those of read models and for reports too."""


def is_due(folders: Folders, environment: Mapping[str, str]) -> bool:
    """
    Compare one SQL look with the newest file, and this code with that of the last time.

    Asking Alembic takes two seconds of each start. It also rebuilds the read models
    whose definition has changed, which no revision tells. Raises CannotStart where the
    schema is newer than this code.
    """
    wrong = mismatch_of(current_revisions(environment["DATABASE_URL"]))
    if wrong is not None and wrong.is_newer:
        raise CannotStart(f"{wrong.what}; {wrong.remedy}")
    if wrong is not None:
        return True
    noted = folders.migrated.read_text() if folders.migrated.exists() else ""
    return noted != fingerprint(environment)


def note_done(folders: Folders, environment: Mapping[str, str]) -> None:
    folders.migrated.write_text(fingerprint(environment))


def fingerprint(environment: Mapping[str, str]) -> str:
    """Return a hash of the code that makes tables, and of where they are."""
    digest = hashlib.sha256(environment["DATABASE_URL"].encode())
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in (".py", ".sql"):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def current_revisions(url: str) -> set[str]:
    with connect(database_url(url)) as connection:
        try:
            rows = connection.execute("SELECT version_num FROM alembic_version")
            return {revision for (revision,) in rows}
        except psycopg.errors.UndefinedTable:
            return set()


def alembic(folders: Folders, environment: Mapping[str, str]) -> Program:
    return Program(
        name="migrate",
        command=["alembic", "upgrade", "head"],
        environment=environment,
        folder=ROOT,
        log=folders.logs / "migrate.log",
    )
