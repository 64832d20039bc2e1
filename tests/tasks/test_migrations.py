"""The rule of finding the newest migration without Alembic."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from tasks.shop.migrations import mismatch_of, newest_migration
from tests.support.databases import ROOT


def test_the_newest_migration_has_the_highest_number(tmp_path: Path) -> None:
    for name in ("0002_numbers.py", "0010_seals.py", "0009_roles.py", "README"):
        (tmp_path / name).touch()

    assert newest_migration(tmp_path) == "0010"


def test_alembic_finds_the_same_head() -> None:
    scripts = ScriptDirectory.from_config(Config(toml_file=ROOT / "pyproject.toml"))

    assert scripts.get_heads() == [newest_migration()]


def test_a_schema_of_before_wants_to_be_migrated() -> None:
    wrong = mismatch_of(["0001"])

    assert wrong is not None
    assert "it is at 0001" in wrong.what
    assert "alembic upgrade head" in wrong.remedy


def test_a_database_without_a_schema_wants_to_be_migrated() -> None:
    wrong = mismatch_of([])

    assert wrong is not None
    assert "alembic upgrade head" in wrong.remedy


@pytest.mark.parametrize("revision", ["9999", "a1b2c3"])
def test_code_that_is_older_than_the_schema_is_not_told_to_migrate(
    revision: str,
) -> None:
    wrong = mismatch_of([revision])

    assert wrong is not None
    assert "the code is older than the schema" in wrong.what
    assert revision in wrong.what
    assert "alembic" not in wrong.remedy


def test_the_schema_of_this_code_fits() -> None:
    assert mismatch_of([newest_migration()]) is None


def test_alembic_finds_the_migrations_in_a_path_with_a_percent_sign(
    tmp_path: Path,
) -> None:
    checkout = tmp_path / "100%sure 'quoted' #1"
    checkout.mkdir()
    (checkout / "alembic").symlink_to(ROOT / "alembic")
    shutil.copy(ROOT / "pyproject.toml", checkout)

    done = subprocess.run(
        [sys.executable, "-m", "alembic", "heads"],
        cwd=checkout,
        capture_output=True,
        text=True,
    )

    assert newest_migration() in done.stdout, done.stderr
