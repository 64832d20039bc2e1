"""The rules of building the servers' programs; nothing is built or fetched here."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stores.servers.building import BuildFailed, Ran, Recipe, Unavailable
from tests.stores.servers.programs import ALL, compare_checksums


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_text("one")
    return path


def recipe(
    source: Path,
    make: Callable[[Path], None],
    *,
    tools: tuple[str, ...] = (),
    options: tuple[str, ...] = (),
) -> Recipe:
    return Recipe(
        name="program", inputs=[source], options=options, tools=tools, make=make
    )


def make_whole(folder: Path) -> None:
    (folder / "whole").touch()


def test_a_program_is_built_once(source: Path) -> None:
    made: list[Path] = []
    built = recipe(source, made.append)

    assert built.build() == built.build() == built.find()
    assert len(made) == 1


def test_a_change_of_what_it_is_made_from_makes_another_program(source: Path) -> None:
    first = recipe(source, make_whole).folder
    with_option = recipe(source, make_whole, options=("-s",)).folder
    source.write_text("two")

    assert len({first, with_option, recipe(source, make_whole).folder}) == 3


def test_a_build_that_was_cut_off_is_begun_again(source: Path) -> None:
    def make_half(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipe(source, make_half).build()
    with pytest.raises(Unavailable, match="recount test --stores"):
        recipe(source, make_whole).find()

    built = recipe(source, make_whole).build()
    assert [path.name for path in built.iterdir()] == ["whole"]


def test_why_it_could_not_be_built_is_told_to_the_tests_that_want_it(
    source: Path,
) -> None:
    def find_no_registry(folder: Path) -> None:
        raise Unavailable("the registry is away")

    with pytest.raises(Unavailable):
        recipe(source, find_no_registry).build()
    with pytest.raises(Unavailable, match="registry is away"):
        recipe(source, make_whole).find()

    recipe(source, make_whole).build()
    assert recipe(source, make_whole).find()


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("Scanning\n[ERROR] no host\n[ERROR] see -X\n", "no host"),
        (
            "go: downloading a v1\nmain.go:1: a: lookup off\n",
            "main.go:1: a: lookup off",
        ),
        ("", "status 3"),
    ],
)
def test_of_a_long_output_the_first_error_is_told(output: str, told: str) -> None:
    assert Ran(status=3, output=output).first_error == told


def test_a_missing_tool_is_named(source: Path) -> None:
    wanting = recipe(source, make_whole, tools=("python3", "no-such-tool"))

    for ask in (wanting.build, wanting.find):
        with pytest.raises(Unavailable, match="needs no-such-tool on the PATH"):
            ask()


def test_a_library_that_is_changed_missing_or_too_many_is_refused(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "a.jar").write_bytes(b"a")
    expected = f"{hashlib.sha256(b'a').hexdigest()}  a.jar\n"

    compare_checksums(folder, expected)

    (folder / "b.jar").write_bytes(b"b")
    with pytest.raises(BuildFailed, match=r"b\.jar"):
        compare_checksums(folder, expected)
    (folder / "b.jar").unlink()
    (folder / "a.jar").write_bytes(b"changed")
    with pytest.raises(BuildFailed, match=r"a\.jar"):
        compare_checksums(folder, expected)
    (folder / "a.jar").unlink()
    with pytest.raises(BuildFailed, match=r"a\.jar"):
        compare_checksums(folder, expected)


@pytest.mark.stores
@pytest.mark.parametrize("program", ALL, ids=lambda program: program.name)
def test_a_registry_that_is_away_is_no_failure(
    program: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any(shutil.which(tool) is None for tool in program.tools):
        pytest.skip(f"needs {', '.join(program.tools)}")
    # Port 9 of this machine: nobody listens there.
    options = [f"-Dmaven.repo.local={tmp_path / 'maven'}", "-Dhttp.nonProxyHosts="]
    for scheme in ("http", "https"):
        options += [f"-D{scheme}.proxyHost=127.0.0.1", f"-D{scheme}.proxyPort=9"]
    monkeypatch.setenv("MAVEN_OPTS", " ".join(options))
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "go"))

    with pytest.raises(Unavailable, match="could not fetch"):
        program.build()
    with pytest.raises(Unavailable, match="could not fetch"):
        program.find()
