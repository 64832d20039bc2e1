"""The rules of finding the newest revision without importing Alembic."""

from pathlib import Path

from embedded.migration import heads


def migration(folder: Path, revision: str, down: str) -> None:
    text = f'"""Why."""\nrevision: str = "{revision}"\ndown_revision = {down}\n'
    (folder / f"{revision}.py").write_text(text)


def test_the_head_is_what_no_other_builds_on(tmp_path: Path) -> None:
    migration(tmp_path, "0001", "None")
    migration(tmp_path, "0002", '"0001"')

    assert heads(tmp_path) == {"0002"}


def test_a_merge_builds_on_both_of_its_sides(tmp_path: Path) -> None:
    migration(tmp_path, "0002a", '"0001"')
    migration(tmp_path, "0002b", '"0001"')
    migration(tmp_path, "0003", '("0002a", "0002b")')

    assert heads(tmp_path) == {"0003"}


def test_without_migrations_nothing_is_behind(tmp_path: Path) -> None:
    assert heads(tmp_path) == set()
