"""The order desk as real processes, on a database and a Redis of the test's own."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.shop.settings import Settings
from tests.support.processes import Processes


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: a socket's has at most 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="recount-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def processes(settings: Settings, folder: Path) -> Iterator[Processes]:
    """Processes that are all killed at the end; the signals after appends are on."""
    processes = Processes(
        replace(
            settings,
            broker_url=f"redis+socket://{folder}/redis.sock",
            catch_up_signals=True,
        ),
        folder,
    )
    yield processes
    processes.kill_all()


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    """The test's own look at the tables."""
    engine = sa.create_engine(database, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()
