"""Brings the database to the newest revision, asking Alembic only if it is behind."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from embedded.child import Program
from embedded.folders import ROOT, Folders
from tasks.settings import database_url

VERSIONS = ROOT / "alembic" / "versions"


def is_behind(environment: Mapping[str, str], versions: Path = VERSIONS) -> bool:
    """Compare one SQL look with the files' heads; importing Alembic takes a second."""
    url = for_libpq(environment["DATABASE_URL"])
    return current_revisions(url) != heads(versions)


def for_libpq(url: str) -> str:
    return database_url(url).replace("+psycopg", "", 1)


def current_revisions(url: str) -> set[str]:
    with psycopg.connect(url, connect_timeout=10) as connection:
        try:
            rows = connection.execute("SELECT version_num FROM alembic_version")
            return {revision for (revision,) in rows}
        except psycopg.errors.UndefinedTable:
            return set()


def heads(versions: Path) -> set[str]:
    """Return the revisions that no other revision builds on."""
    found = [variables(path) for path in versions.glob("*.py")]
    revisions = {str(each["revision"]) for each in found if "revision" in each}
    return revisions - {below for each in found for below in downs(each)}


def variables(path: Path) -> dict[str, object]:
    """Return the plain values that a migration's file assigns, without running it."""
    values: dict[str, object] = {}
    for statement in ast.parse(path.read_text()).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        if isinstance(value, ast.Constant | ast.Tuple):
            values[name] = ast.literal_eval(value)
    return values


def downs(migration: Mapping[str, object]) -> Iterator[str]:
    match migration.get("down_revision"):
        case str() as one:
            yield one
        case tuple() as several:
            yield from map(str, several)


def alembic(folders: Folders, environment: Mapping[str, str]) -> Program:
    return Program(
        name="migrate",
        command=["alembic", "upgrade", "head"],
        environment=environment,
        folder=ROOT,
        log=folders.logs / "migrate.log",
    )
