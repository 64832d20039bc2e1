"""The rules of telling our processes from others."""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embedded import leftovers, processes
from embedded.environment import MARK
from embedded.folders import Folders
from embedded.processes import Process


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    marked = {**os.environ, MARK: os.fspath(tmp_path)}
    with subprocess.Popen(["sleep", "1000"], cwd=tmp_path, env=marked) as process:
        yield process
        process.kill()


def identified(process: subprocess.Popen[bytes]) -> Process:
    found = processes.find(process.pid)
    assert found is not None
    return found


def test_a_recycled_pid_gets_no_signal(sleeper: subprocess.Popen[bytes]) -> None:
    mine = identified(sleeper)

    replace(mine, started=mine.started - 1).send(signal.SIGKILL)

    assert mine.is_running()


def test_a_process_is_found_by_its_folder(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert processes.working_in(tmp_path) == {identified(sleeper)}


def test_what_a_killed_up_left_is_ended(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert leftovers.clear(Folders(tmp_path)) == 1
    assert sleeper.wait(timeout=5) == -signal.SIGTERM


def test_what_another_data_folder_started_is_left_alone(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert leftovers.clear(Folders(tmp_path / "another")) == 0
    assert identified(sleeper).is_running()
