"""
One shop that runs for all tests in a browser, and a logged-in browser for each person.

`./recount test --browser` runs them. Each test has contexts of its own, so no cookie of
another's, and fails on what must not happen in any of them.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.browsing import PATIENCE, Browsers
from tests.support.chores import Chores, Measure
from tests.support.databases import Databases
from tests.support.running_shop import RunningShop, running_shop
from tests.support.settings import settings_for

HERE = Path(__file__).parent
PROGRAMS = ("chromium", "chromium-browser")
FLAGS = (
    # Chromium has no sandbox for root, whom CI and containers run tests as.
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # The tests ask nobody but the shop.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A container's /dev/shm may have a few megabytes.
    "--disable-dev-shm-usage",
)
PICTURES = pytest.StashKey[Chores]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", metavar="FOLDER", help="keep the pictures there")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of this folder, so that Chromium is wanted by no other run."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail what is skipped: it would look as if the chore had been done."""
    report = yield
    if report.skipped and HERE in item.path.parents:
        report.outcome = "failed"
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if chores := config.stash.get(PICTURES, None):
        terminalreporter.section("chores")
        for line in chores.table():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium: Playwright's own cannot be had from a package registry."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.fail("Chromium is missing: apt install chromium", pytrace=False)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def desk(databases: Databases) -> Iterator[RunningShop]:
    """The shop that all these tests share."""
    # A folder with a short path: a socket's has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="recount-"))
    with databases.lend() as url, running_shop(settings_for(url), folder) as desk:
        yield desk
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def chores(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Chores:
    wanted = pytestconfig.getoption("pictures")
    folder = Path(wanted).resolve() if wanted else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    pytestconfig.stash[PICTURES] = Chores(folder)
    return pytestconfig.stash[PICTURES]


@pytest.fixture(scope="session")
def sessions() -> dict[tuple[str, str], Any]:
    """The cookies of who has logged in, by the shop's address and the name."""
    return {}


@pytest.fixture
def browsers(
    chromium: Browser, desk: RunningShop, sessions: dict[tuple[str, str], Any]
) -> Iterator[Browsers]:
    """The browsers of a test; it fails for each fault in a page of theirs."""
    browsers = Browsers(chromium, desk.address, sessions)
    yield browsers
    browsers.close()
    assert browsers.watched.faults == []


@pytest.fixture
def chore(chores: Chores) -> Measure:
    """Measure what is done on a page; axe finds nothing where it ends."""
    return chores.measure
