"""Which migration is the newest, by the files' names: Alembic takes a second."""

from pathlib import Path

VERSIONS = Path(__file__).resolve().parent.parent / "alembic" / "versions"


def newest_migration(versions: Path = VERSIONS) -> str:
    """Return the revision of the newest migration: files are named after it."""
    return max(path.name for path in versions.glob("[0-9]*.py")).partition("_")[0]
