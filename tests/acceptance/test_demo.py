"""The demonstration, as somebody runs it who looks at Recount for the first time."""

import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from tasks.shop.demo.running import count_steps
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

STATUSES = {
    **{"delivered": 15, "returned": 1, "shipped": 8},
    **{"paid": 6, "pending": 6, "cancelled": 4},
}
COMMAND = [sys.executable, "-m", "cli", "demo"]
LIVE = "--live"
OF_THE_DEMO = "events WHERE stream_id NOT LIKE 'account-%'"
"""What its commands have caused; of a refund, the money follows by itself."""
REFUNDED = "events WHERE type = 'MoneyDeposited'"


@dataclass
class Desk:
    """An order desk that runs, and somebody at a terminal beside it."""

    processes: Processes
    engine: sa.Engine
    port: int = 0

    def open(self) -> None:
        self.processes.redis()
        self.processes.worker()
        self.port = urlsplit(self.processes.web()).port or 0

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *options],
            cwd=self.processes.code,
            env={**self.processes.environment, "PORT": str(self.port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def demo(self, *options: str) -> tuple[int, str]:
        """Return the exit status of a run, and what it said."""
        process = self.start(*options)
        said, _ = process.communicate(timeout=60)
        return process.returncode, said

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]

    def statuses(self) -> dict[object, object]:
        query = "SELECT status, count(*) FROM readmodels.order_list GROUP BY 1"
        return dict(self.ask(query))  # type: ignore[arg-type]  # two columns

    def count(self, table: str) -> int:
        ((count,),) = self.ask(f"SELECT count(*) FROM {table}")
        assert isinstance(count, int)
        return count


@pytest.fixture
def desk(processes: Processes, engine: sa.Engine) -> Desk:
    return Desk(processes, engine)


def test_the_demo_is_made_by_an_operator_beside_a_running_shop(desk: Desk) -> None:
    desk.open()

    status, said = desk.demo("--orders", "60")

    assert status == 0, said
    assert said.endswith(f"look at http://127.0.0.1:{desk.port}/orders\n")
    assert sum(desk.statuses().values()) == 60  # type: ignore[arg-type]  # numbers
    assert desk.ask(
        "SELECT count(*) FROM vault.keys WHERE destroyed_at IS NOT NULL"
    ) == [(1,)]
    # Process managers pass by what is imported: what followed is imported, too.
    assert desk.count("commands") == 0


def test_the_live_demo_leaves_orders_of_every_status_and_once_more_changes_nothing(
    desk: Desk,
) -> None:
    desk.open()

    status, said = desk.demo(LIVE)

    assert status == 0, said
    assert said.endswith(f"look at http://127.0.0.1:{desk.port}/orders\n")
    wait_until(lambda: desk.statuses() == STATUSES, "all of it is in the list")
    wait_until(lambda: desk.count(REFUNDED) == 3, "all refunds are there")
    events = desk.ask("SELECT * FROM events ORDER BY id")
    assert desk.ask(
        "SELECT count(*) FROM readmodels.order_list"
        " WHERE customer_name = 'Åsa Lindqvist-Öberg'"
    ) == [(4,)]

    status, said = desk.demo(LIVE, "--address", f"http://localhost:{desk.port}/")

    assert status == 0
    assert "nothing to do" in said
    assert desk.ask("SELECT * FROM events ORDER BY id") == events


def test_a_live_demo_that_was_killed_goes_on_where_it_was(desk: Desk) -> None:
    desk.open()
    killed = desk.start(LIVE)
    wait_until(lambda: desk.count("commands") > 30, "it is half way")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    half = desk.count(OF_THE_DEMO)

    status, said = desk.demo(LIVE)

    assert half < count_steps()
    assert status == 0, said
    wait_until(lambda: desk.statuses() == STATUSES, "all of it is in the list")
    numbers = Counter(desk.ask("SELECT order_id FROM readmodels.order_list"))
    assert sorted(numbers) == [(number,) for number in range(1, 41)]
    assert desk.count(OF_THE_DEMO) == count_steps()


def test_the_live_demo_says_what_to_start_where_nothing_answers(desk: Desk) -> None:
    desk.port = 1

    assert desk.demo(LIVE) == (
        1,
        "recount: nothing answers at http://127.0.0.1:1: start ./recount up first\n",
    )


def test_the_live_demo_names_the_step_that_the_shop_refuses(desk: Desk) -> None:
    desk.open()
    desk.processes.extra["CURRENCY"] = "CHF"

    status, said = desk.demo(LIVE)

    assert status == 1
    assert "AddProduct NB-A5-DOT was not accepted" in said
    assert "must be EUR" in said
