"""A desk of one's own, in a path with a space, on servers of its own or shared ones."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.console import Console
from embedded.environment import for_children
from embedded.folders import Folders
from embedded.servers import start_servers
from embedded.supervisor import Supervisor
from tests.embedded.running import Desk, desk_in


@pytest.fixture(scope="session")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of a PostgreSQL and a Redis that many desks may use."""
    folders = Folders(tmp_path_factory.mktemp("shared servers") / "local")
    folders.make()
    supervisor = Supervisor(Console())
    environment = for_children({"PATH": os.environ["PATH"]}, folders)
    try:
        with_servers = start_servers(supervisor, folders, environment, {})
        yield {name: with_servers[name] for name in ("DATABASE_URL", "REDIS_URL")}
    finally:
        supervisor.stop_all()
        folders.forget_sockets()


@pytest.fixture
def desk(tmp_path: Path, addresses: dict[str, str]) -> Iterator[Desk]:
    """A desk whose servers somebody else provides, which starts in half the time."""
    with desk_in(tmp_path, addresses) as desk:
        yield desk


@pytest.fixture
def whole_desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path, {}) as desk:
        yield desk


@pytest.fixture(scope="module")
def standing_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A whole desk that is up, for the tests that leave it so."""
    with desk_in(tmp_path_factory.mktemp("standing"), {}) as desk:
        desk.up()
        yield desk
