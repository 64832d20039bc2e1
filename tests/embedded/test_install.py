"""The rules of installing into a checkout, with a uv that notes what it is asked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.folders import ROOT

UV = """#!/bin/sh
echo "$*" >> "{notes}"
if [ "$1" = venv ]; then
  "{python}" -m venv --without-pip --clear "$VIRTUAL_ENV"
fi
if [ "$1" = pip ]; then sleep 0.2; test ! -e "{broken}"; fi
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a path with a space, whose `embedded` says hello."""
    checkout = tmp_path / "my checkout"
    (checkout / "embedded").mkdir(parents=True)
    shutil.copy(ROOT / "recount", checkout)
    shutil.copy(ROOT / "embedded" / "uv.lock", checkout / "embedded")
    shutil.copy(ROOT / "embedded" / "help.txt", checkout / "embedded")
    (checkout / "requirements.lock").write_text("flask==3.1\n")
    (checkout / "embedded" / "__init__.py").touch()
    (checkout / "embedded" / "__main__.py").write_text("print('hello')\n")
    uv = checkout / ".tools" / "uv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    shutil.copy(ROOT / "embedded" / "uv.lock", checkout / ".tools" / "uv")
    notes, broken = tmp_path / "notes", tmp_path / "broken"
    uv.write_text(UV.format(notes=notes, broken=broken, python=sys.executable))
    uv.chmod(0o755)
    return checkout


def recount(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [os.fspath(checkout / "recount"), *arguments],
        cwd=checkout.parent,
        capture_output=True,
        text=True,
    )


def notes(checkout: Path) -> list[str]:
    """Return the first word of each call to uv."""
    path = checkout.parent / "notes"
    return [line.split()[0] for line in path.read_text().splitlines()]


def test_the_first_start_installs_and_the_second_does_not(checkout: Path) -> None:
    first, second = recount(checkout, "up"), recount(checkout, "up")

    assert first.stdout.endswith("hello\n"), first.stderr
    assert second.stdout == "hello\n"
    assert notes(checkout) == ["venv", "pip"]


def test_two_first_starts_at_once_install_once(checkout: Path) -> None:
    both = [
        subprocess.Popen([os.fspath(checkout / "recount"), "up"], text=True)
        for _ in range(2)
    ]

    assert [one.wait(timeout=30) for one in both] == [0, 0]
    assert notes(checkout) == ["venv", "pip"]


def test_an_interrupted_installation_is_begun_again(checkout: Path) -> None:
    broken = checkout.parent / "broken"
    broken.touch()
    failed = recount(checkout, "up")
    broken.unlink()

    repaired = recount(checkout, "up")

    assert failed.returncode == 1
    assert "the next run repairs it" in failed.stderr
    assert repaired.stdout.endswith("hello\n")
    assert notes(checkout) == ["venv", "pip", "venv", "pip"]


def test_new_pins_are_installed_into_what_is_there(checkout: Path) -> None:
    recount(checkout, "up")
    (checkout / "requirements.lock").write_text("flask==3.2\n")

    recount(checkout, "up")

    assert notes(checkout) == ["venv", "pip", "pip"]


def test_a_checkout_that_was_moved_is_installed_anew(checkout: Path) -> None:
    recount(checkout, "up")
    moved = checkout.rename(checkout.with_name("moved"))

    assert recount(moved, "up").stdout.endswith("hello\n")
    assert notes(moved) == ["venv", "pip", "venv", "pip"]


def test_another_python_leaves_the_installation_alone(checkout: Path) -> None:
    recount(checkout, "up")
    another = checkout.parent / "bin"
    another.mkdir()
    (another / "python3").symlink_to("/usr/bin/python3")

    subprocess.run(
        [os.fspath(checkout / "recount"), "status"],
        env={"PATH": f"{another}:/usr/bin:/bin"},
        check=True,
    )

    assert notes(checkout) == ["venv", "pip"]


def test_help_needs_no_installation(checkout: Path) -> None:
    assert "./recount up" in recount(checkout, "--help").stdout
    assert not (checkout / ".venv").exists()


def test_without_python_one_line_says_what_to_install(checkout: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", os.fspath(checkout / "recount"), "up"],
        env={"PATH": os.fspath(checkout)},
        capture_output=True,
        text=True,
    )

    assert done.stderr.count("\n") == 1
    assert "apt install python3" in done.stderr
