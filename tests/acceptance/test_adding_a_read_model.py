"""A new question to old events: the file of the docs, added to a shop that runs."""

import re
import shutil
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.client import client_of
from tests.support.databases import ROOT
from tests.support.orders import ADDRESS, ALICE, order_for
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

PAGE = ROOT / "docs" / "adding-a-read-model.md"
ROOMS = ("alembic", "cli", "domain", "eventstore", "readmodels", "tasks", "webapp")


def code_of_the_page() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(code)


@pytest.fixture
def newer_code(folder: Path) -> Path:
    """The project with one file more."""
    for room in ROOMS:
        shutil.copytree(
            ROOT / room,
            folder / room,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    (folder / "readmodels" / "countries.py").write_text(code_of_the_page())
    return folder


def countries(engine: sa.Engine) -> list[tuple[str, int, int, int]]:
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT country, orders, cancelled, worth FROM readmodels.countries"
                " ORDER BY country"
            )
        )
        return [tuple(row) for row in rows]


def test_one_file_answers_a_new_question_over_the_history_that_is_there(
    processes: Processes, engine: sa.Engine, newer_code: Path
) -> None:
    processes.redis()
    old_worker = processes.worker()
    peru = {**ADDRESS, "country": "Peru"}
    address = processes.web()
    with client_of(address) as client:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        sent = [
            client.send("PlaceOrder", order_for()),
            client.send("PlaceOrder", order_for(address=peru)),
            client.send("PlaceOrder", order_for(address=peru)),
        ]
        done = [client.wait_for(answer.command_id) for answer in sent]
        number = int(done[1]["stream_id"].removeprefix("order-"))
        cancel = {"order_id": number, "reason": "bought it twice"}
        client.wait_for(client.send("CancelOrder", cancel).command_id)

        # The shop runs on, with the old code, while the new question is answered.
        processes.code = newer_code
        rebuild = processes.start(
            "rebuild",
            *(sys.executable, "-P", "-m", "cli", "rebuild", "countries"),
        )
        assert rebuild.running is not None
        assert rebuild.running.wait(60) == 0, rebuild.text()
    assert countries(engine) == [("Norway", 1, 0, 9_900), ("Peru", 2, 1, 9_900)]

    # A worker that knows the file takes over and goes on with it.
    old_worker.stop()
    processes.worker()
    with client_of(address) as client:
        client.wait_for(client.send("PlaceOrder", order_for()).command_id)
    wait_until(
        lambda: countries(engine)[0] == ("Norway", 2, 0, 19_800),
        "the new order is counted",
    )


def test_the_file_of_the_page_is_short() -> None:
    lines = [line for line in code_of_the_page().splitlines() if line.strip()]

    assert len(lines) < 80
