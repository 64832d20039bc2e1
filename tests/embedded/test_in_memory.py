"""The whole suite's servers lie in memory, if the machine has room there."""

from pathlib import Path

import pytest

from embedded import in_memory
from embedded.folders import Folders


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(in_memory, "SHARED_MEMORY", memory)
    monkeypatch.setattr(in_memory, "ROOM", 0)
    return Folders(tmp_path / "kept")


def test_what_lies_in_memory_is_gone_at_the_end_but_for_its_logs(kept: Folders) -> None:
    with in_memory.lend_folders(kept) as folders:
        folders.make()
        (folders.logs / "postgres.log").write_text("ready")

    assert folders.state.parent == in_memory.SHARED_MEMORY
    assert not folders.state.exists()
    assert (kept.logs / "postgres.log").read_text() == "ready"


def test_without_room_in_memory_everything_lies_where_it_is_kept(
    kept: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_memory, "ROOM", 1 << 60)

    with in_memory.lend_folders(kept) as folders:
        assert folders == kept


def test_without_such_a_folder_too(
    kept: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_memory, "SHARED_MEMORY", kept.state / "missing")

    with in_memory.lend_folders(kept) as folders:
        assert folders == kept


def test_who_tells_of_no_memory_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_: "MemTotal: 8 kB\n")

    assert in_memory.available() == 0
