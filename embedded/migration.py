"""Brings the database to the newest revision, asking Alembic only if it is behind."""

from collections.abc import Mapping

import psycopg

from embedded.child import Program
from embedded.folders import ROOT, Folders
from tasks.migrations import newest_migration
from tasks.settings import database_url


def is_behind(environment: Mapping[str, str]) -> bool:
    """Compare one SQL look with the newest file; importing Alembic takes a second."""
    url = for_libpq(environment["DATABASE_URL"])
    return current_revisions(url) != {newest_migration()}


def for_libpq(url: str) -> str:
    return database_url(url).replace("+psycopg", "", 1)


def current_revisions(url: str) -> set[str]:
    with psycopg.connect(url, connect_timeout=10) as connection:
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
