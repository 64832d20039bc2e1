"""The small disk: what a run that was killed has mounted does not stay."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from tests.faults.disk import SmallDisk


def mount_and_die(data: Path) -> None:
    SmallDisk(data, 1).mount()
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_disk_of_a_run_that_was_killed_is_given_back(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    killed = multiprocessing.get_context("spawn").Process(
        target=mount_and_die, args=(first,)
    )
    killed.start()
    killed.join()
    disk = SmallDisk(second, 1)
    disk.mount()
    why_not, is_left = disk.why_not, first.is_mount()
    disk.unmount()
    if why_not:
        pytest.skip(f"no file system can be mounted here: {why_not}")

    assert killed.exitcode == -signal.SIGKILL
    assert not is_left
