"""
Compare the database's schema revision with this code's migrations, by file name.

Asking Alembic would take a second.
"""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

VERSIONS = Path(__file__).resolve().parents[2] / "alembic" / "versions"
MIGRATE = "run `alembic upgrade head`, as ./recount up does"


class SchemaMismatch(NamedTuple):
    """Why a schema does not fit this code, and what to do."""

    what: str
    remedy: str
    is_newer: bool


def known_migrations(versions: Path = VERSIONS) -> set[str]:
    """Return the revisions of this code's migrations, by their file names."""
    return {path.name.partition("_")[0] for path in versions.glob("[0-9]*.py")}


def newest_migration(versions: Path = VERSIONS) -> str:
    """Return the revision of the newest migration."""
    return max(known_migrations(versions))


def mismatch_of(
    revisions: Collection[str], versions: Path = VERSIONS
) -> SchemaMismatch | None:
    """
    Return why a database at these *revisions* does not fit; None if it does.

    A revision that this code does not have was made by newer code: then our migrations
    are of no use.
    """
    newest = newest_migration(versions)
    at = ", ".join(sorted(revisions))
    if set(revisions) == {newest}:
        return None
    if not known_migrations(versions).issuperset(revisions):
        return SchemaMismatch(
            f"the database's schema is at {at}, and this code knows nothing after"
            f" {newest}: the code is older than the schema",
            "start the version that migrated it, or a newer one; do not migrate with"
            " this one. To go back, restore a backup from before the upgrade",
            is_newer=True,
        )
    where = f"at {at}" if revisions else "without any migration"
    return SchemaMismatch(
        f"the database's schema is not at head: it is {where}, and this code needs"
        f" {newest}",
        MIGRATE,
        is_newer=False,
    )
