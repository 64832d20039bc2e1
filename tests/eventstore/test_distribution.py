"""What is built of the engine: all of its package, and nothing else."""

import tarfile
import tomllib
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.support.databases import ROOT
from tests.support.wheels import ENGINE, build

ABOUT = {"LICENSE", "README.md", "pyproject.toml"}
"""Files that lie beside the modules and speak of them."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"), ENGINE)


def contents(wheel: Path) -> dict[str, bytes]:
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata_in(folder: Path) -> Any:
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    source = {
        f"eventstore/{path.relative_to(ENGINE).as_posix()}": path.read_bytes()
        for path in ENGINE.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    package = {
        name: data for name, data in source.items() if Path(name).name not in ABOUT
    }

    built = contents(wheel)

    assert {n: d for n, d in built.items() if n.startswith("eventstore/")} == package
    assert {Path(name).suffix for name in package} == {".py", ".sql", ".typed"}
    assert {name.partition("/")[0] for name in built} == {
        "eventstore",
        "recount_eventstore-0.1.0.dist-info",
    }


def test_the_wheel_brings_its_licence(wheel: Path) -> None:
    (licence,) = [d for n, d in contents(wheel).items() if n.endswith("LICENSE")]

    assert licence == (ROOT / "LICENSE").read_bytes()


def test_the_same_wheel_is_built_from_the_source_distribution(
    wheel: Path, tmp_path: Path
) -> None:
    with tarfile.open(build("sdist", tmp_path / "sdist", ENGINE)) as archive:
        archive.extractall(tmp_path, filter="data")

    again = build("wheel", tmp_path / "wheel", tmp_path / "recount_eventstore-0.1.0")

    assert contents(again) == contents(wheel)


def test_the_desk_asks_for_the_same_versions_as_the_engine() -> None:
    engine, desk = metadata_in(ENGINE), metadata_in(ROOT)

    assert set(engine["dependencies"]) <= set(desk["dependencies"])
    assert engine["requires-python"] == desk["requires-python"]
