"""The engine's wheel, and an environment with it and what it needs, nothing else."""

import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Literal
from zipfile import ZipFile

from packaging.requirements import Requirement

from tests.support.databases import ROOT

ENGINE = ROOT / "eventstore"


def build(target: Literal["sdist", "wheel"], folder: Path, source: Path) -> Path:
    """
    Build a distribution of *source* into an empty *folder*, and return its path.

    No registry is asked: the backend is the one installed here.
    """
    # -P: the folder of a package must not hide modules that the backend imports.
    command = [sys.executable, "-P", "-m", "hatchling", "build", "-t", target]
    subprocess.run(
        [*command, "-d", folder], cwd=source, check=True, capture_output=True
    )
    (built,) = folder.iterdir()
    return built


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment with a wheel, what that *asked_for*, and all that came along."""

    python: Path
    library: Path
    asked_for: frozenset[str]
    packages: frozenset[str]


def install(wheel: Path, folder: Path) -> Environment:
    """
    Make an environment, and put a wheel and all that it requires into it.

    What it requires is linked from our own environment, file by file: an installation
    that needs no network, of exactly what the wheel's metadata ask for.
    """
    venv.create(folder, symlinks=True)
    (library,) = folder.glob("lib/python*/site-packages")
    with ZipFile(wheel) as archive:
        archive.extractall(library)
    (own,) = Distribution.discover(path=[str(library)])
    packages = dict(needed_by(own))
    asked_for = frozenset(name for name, _ in required_by(own))
    for package in packages.values():
        for path in package.files or ():
            if ".." in path.parts:
                continue  # a script of the package, beside the libraries
            link = library / path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(str(package.locate_file(path))))
    python = folder / "bin" / "python"
    return Environment(python, library, asked_for, frozenset(packages))


def needed_by(
    package: Distribution, extras: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Distribution]]:
    """Yield all distributions that a package requires, with what those require."""
    for name, of_it in required_by(package, extras):
        needed = distribution(name)
        yield name, needed
        yield from needed_by(needed, of_it)


def required_by(
    package: Distribution, extras: frozenset[str] = frozenset()
) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what a package itself requires here, each with the extras of that."""
    for requirement in map(Requirement, package.requires or ()):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": e}) for e in extras or {""}):
            yield normalised(requirement.name), frozenset(requirement.extras)


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
