"""The containers start what the Procfile starts, and open nothing to others."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from honcho.environ import parse_procfile

from tasks.shop.settings import VARIABLES
from tests.support.databases import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
PROCESSES = parse_procfile((ROOT / "Procfile").read_text()).processes
ENTRYPOINT = ROOT / "docs" / "containers" / "entrypoint.sh"
PATH = os.environ["PATH"]
MIGRATED = {"migrate": {"condition": "service_completed_successfully"}}


def test_each_process_of_the_procfile_is_a_service() -> None:
    started = {
        service["command"][2]: name
        for name, service in SERVICES.items()
        if service.get("command", [])[:2] == ["honcho", "start"]
    }

    assert started == {name: name for name in PROCESSES}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_begins_when_the_database_is_migrated(name: str) -> None:
    assert SERVICES[name]["depends_on"] == MIGRATED


@pytest.mark.parametrize("name", [*PROCESSES, "migrate"])
def test_services_set_settings_that_there_are(name: str) -> None:
    assert set(SERVICES[name]["environment"]) <= VARIABLES


def test_what_is_published_is_published_to_this_computer_alone() -> None:
    published = [port for one in SERVICES.values() for port in one.get("ports", [])]

    assert published == ["127.0.0.1:5000:5001"]


def test_the_database_keeps_every_text() -> None:
    arguments = SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]

    assert "--encoding=UTF8" in arguments


def test_the_broker_evicts_nothing() -> None:
    assert "noeviction" in SERVICES["redis"]["command"]


def test_every_image_names_its_version() -> None:
    images = [one["image"] for one in SERVICES.values() if "build" not in one]
    images += re.findall("^FROM (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert all(re.search(r":[0-9][^:]*$", image) for image in images), images


def test_processes_that_start_at_once_share_their_keys(tmp_path: Path) -> None:
    shown = 'echo "$SECRET_KEY $MASTER_KEY"'
    running = [
        subprocess.Popen(
            [ENTRYPOINT, "sh", "-c", shown],
            env={"PATH": PATH, "STATE_DIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]

    keys = {process.communicate()[0] for process in running}

    assert len(keys) == 1
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())
