"""The rules of `./recount test`."""

import os
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from embedded import processes, record
from embedded.environment import MARK
from embedded.folders import Folders
from embedded.suite import own_variables, steps
from tests.embedded.running import Desk, desk_in


@pytest.fixture(scope="module")
def run_beside_an_up(
    tmp_path_factory: pytest.TempPathFactory, addresses: dict[str, str]
) -> Iterator[tuple[Desk, CompletedProcess[str]]]:
    """A `./recount test --version`, run while an `up` is there."""
    with desk_in(tmp_path_factory.mktemp("suite"), addresses) as desk:
        desk.up()
        yield desk, desk.run("test", "--version")


def test_what_takes_minutes_has_an_option_of_its_own() -> None:
    assert dict(steps(["--long"])) == {"long": ["pytest", "-m", "long"]}


def test_servers_of_read_stores_are_built_before_their_tests() -> None:
    (build, module), (stores, chosen) = steps(["--stores", "-k", "older"])

    assert (build, stores) == ("build", "stores")
    assert module == ["python", "-m", "tests.stores.servers"]
    assert chosen == ["pytest", "-m", "stores and not long", "-k", "older"]


def test_pages_are_tried_in_a_browser_without_collecting_all_other_tests() -> None:
    ((name, command),) = steps(["--browser", "--pictures=there"])

    assert name == "browser"
    assert command[1:] == [
        *("-o", "testpaths=tests/browser", "-m", "browser"),
        "--pictures=there",
    ]


def test_a_search_server_that_is_lent_reaches_the_tests_and_a_database_does_not() -> (
    None
):
    given = {"TEST_SEARCH_URL": "http://there", "DATABASE_URL": "x", "PORT": "1"}

    assert own_variables(given) == {"TEST_SEARCH_URL": "http://there"}


def test_with_arguments_pytest_alone_is_run_with_them(
    run_beside_an_up: tuple[Desk, CompletedProcess[str]],
) -> None:
    _, done = run_beside_an_up

    assert done.returncode == 0, done.stderr
    assert "pytest" in done.stdout
    assert "ruff" not in done.stdout


def test_its_servers_are_stopped_at_the_end(
    run_beside_an_up: tuple[Desk, CompletedProcess[str]],
) -> None:
    desk, _ = run_beside_an_up
    state = desk.state / "test"

    assert not processes.with_variable(MARK, os.fspath(state))
    assert not processes.working_in(Folders(state).postgres)


def test_a_running_up_is_left_alone(
    run_beside_an_up: tuple[Desk, CompletedProcess[str]],
) -> None:
    desk, _ = run_beside_an_up

    assert desk.running.address


def test_its_status_is_that_of_what_failed(desk: Desk) -> None:
    assert desk.run("test", "--no-such-option").returncode == 1


def test_a_second_one_says_that_another_runs(desk: Desk) -> None:
    with record.only_one(Folders(desk.state / "test")):
        done = desk.run("test", "--version")

    assert done.returncode == 1
    assert "Another ./recount test runs already" in done.stdout


def test_without_arguments_all_is_run_but_what_takes_minutes() -> None:
    names = [name for name, _ in steps([])]
    quick, races = [list(command) for _, command in steps([])][:2]

    assert names[:3] == ["pytest", "races", "ruff check"]
    rest = "not long and not stores and not browser"
    assert quick[-2:] == ["-m", f"not races and {rest}"]
    assert races[-2:] == ["-m", f"races and {rest}"]
