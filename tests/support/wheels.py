"""The wheel, built, and an environment with it and what it needs, and nothing else."""

import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement

from tests.support.databases import ROOT


def build(folder: Path) -> Path:
    """Build the wheel of this checkout, without asking a registry."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment with a wheel, and the *packages* that came along."""

    python: Path
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
    for package in packages.values():
        for path in package.files or ():
            if ".." in path.parts:
                continue  # a script of the package, beside the libraries
            link = library / path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(str(package.locate_file(path))))
    return Environment(folder / "bin" / "python", frozenset(packages))


def needed_by(
    package: Distribution, extras: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Distribution]]:
    """Yield all distributions that a package requires, with what those require."""
    for line in package.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras or {""}
        ):
            needed = distribution(requirement.name)
            yield normalised(requirement.name), needed
            yield from needed_by(needed, frozenset(requirement.extras))


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
