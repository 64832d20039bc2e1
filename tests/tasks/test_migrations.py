"""The rule of finding the newest migration without Alembic."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from tasks.migrations import newest_migration
from tests.support.databases import ROOT


def test_the_newest_migration_has_the_highest_number(tmp_path: Path) -> None:
    for name in ("0002_numbers.py", "0010_seals.py", "0009_roles.py", "README"):
        (tmp_path / name).touch()

    assert newest_migration(tmp_path) == "0010"


def test_alembic_finds_the_same_head() -> None:
    scripts = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))

    assert scripts.get_heads() == [newest_migration()]
