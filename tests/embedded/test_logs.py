"""The rules of showing logs."""

from pathlib import Path

import pytest

from embedded.logs import TOO_LARGE, Tail, last_lines, open_log, show


def append(path: Path, text: str) -> None:
    with open_log(path) as log:
        log.write(text.encode())


def test_a_tail_shows_whole_lines_as_they_are_added(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    append(path, "before\n")
    tail = Tail(path)

    append(path, "one\ntw")
    assert list(tail.new_lines()) == ["one"]
    append(path, "o\n")
    assert list(tail.new_lines()) == ["two"]


def test_a_tail_goes_on_in_the_next_file(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    append(path, "before\n")
    tail = Tail(path)

    path.replace(tmp_path / "web.log.1")
    append(path, "after a restart\n")

    assert list(tail.new_lines()) == ["after a restart"]


def test_a_large_log_is_set_aside_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    with path.open("wb") as log:
        log.truncate(TOO_LARGE + 1)

    append(path, "new\n")

    assert path.read_text() == "new\n"
    assert (tmp_path / "web.log.1").stat().st_size == TOO_LARGE + 1


def test_the_end_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    append(tmp_path / "web.log", "one\ntwo\nthree\n")

    assert last_lines(tmp_path / "web.log", 2) == ["two", "three"]


def test_several_logs_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "web.log", tmp_path / "worker.log"]
    for path in paths:
        append(path, "started\n")

    show(paths, count=10, follow=False)

    assert capsys.readouterr().out == "web    | started\nworker | started\n"
