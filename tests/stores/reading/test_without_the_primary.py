"""Real web processes are read from while the primary is stopped, killed, and back."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from tasks.shop.settings import Settings
from tests.stores.servers.postgres import PostgresServer, ReplicaServer
from tests.support.client import Client, client_of
from tests.support.processes import Processes
from tests.support.visiting import Place
from tests.support.waiting import wait_until

SHORT = 4.0
LONG = pytest.param(300.0, marks=pytest.mark.long)
"""Seconds of each fault; of two such, ten minutes without a primary."""
READERS = 3
PATHS = (
    "/api/orders",
    "/api/orders?q=Alice",
    "/api/orders/{order}",
    "/api/customers/ALICE",
    "/api/accounts",
    "/orders",
    "/orders/{order}",
)


@dataclass
class Reading:
    """Several clients that read all the time, and what they were answered."""

    address: str
    order: int
    stores: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        netloc = urlsplit(self.address).netloc
        with closing(http.client.HTTPConnection(netloc, timeout=30)) as link:
            while not self.over.is_set():
                for path in PATHS:
                    self.read_one(link, path.format(order=self.order))

    @property
    def count(self) -> int:
        """How many reads were answered."""
        return sum(self.stores.values())

    def read_one(self, link: http.client.HTTPConnection, path: str) -> None:
        began = time.monotonic()
        link.request("GET", path, headers={"Authorization": Client.authorization})
        answer = link.getresponse()
        text = answer.read().decode()
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.stores[answer.headers.get("Recount-Store", "none")] += 1
        if answer.status != 200:
            self.failures.append(f"{path}: {answer.status} {text[:200]}")


@contextmanager
def reading(address: str, order: int) -> Iterator[Reading]:
    found = Reading(address, order)
    threads = [threading.Thread(target=found.read) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.over.set()
        for thread in threads:
            thread.join(30)


@pytest.fixture
def web(settings: Settings, tmp_path: Path) -> Iterator[str]:
    """The address of two web processes."""
    assert settings.replica_database_url is not None
    processes = Processes(
        settings,
        tmp_path,
        extra={"REPLICA_DATABASE_URL": settings.replica_database_url},
    )
    try:
        yield processes.web(WEB_PROCESSES="2")
    finally:
        processes.kill_all()


def have_faults(
    primary: PostgresServer, sender: Client, found: Reading, seconds: float
) -> None:
    """Stop the primary for so many seconds, then kill it and start it again."""
    primary.pause()
    wait_until(lambda: is_cut_off(sender, "/api/orders"), "the answers say so")
    stay_cut_off(sender, seconds)
    primary.resume()
    wait_until(lambda: not is_cut_off(sender, "/api/orders"), "the primary is back")
    primary.kill()
    wait_until(lambda: is_cut_off(sender, "/api/orders"), "the answers say so")
    status, refused = sender.call(
        "POST",
        "/api/commands",
        {"type": "CancelOrder", "data": {"order_id": found.order, "reason": "late"}},
        {"Idempotency-Key": "late"},
    )
    assert (status, refused["type"]) == (503, "/problems/unavailable")
    before = found.count
    wait_until(lambda: found.count > before + 100, "all are read")
    if seconds > SHORT:
        stay_cut_off(sender, seconds)
    primary.start()
    wait_until(lambda: not is_cut_off(sender, "/api/orders"), "the primary is back")
    sent = sender.send("CancelOrder", {"order_id": found.order, "reason": "late"})
    assert sent.status == 202
    print(json.dumps({"stores": found.stores, "slowest": round(found.slowest, 3)}))
    assert found.failures == []
    assert found.stores["none"] == 0


@pytest.mark.parametrize("seconds", [SHORT, LONG])
def test_no_read_fails_while_the_primary_is_stopped_killed_and_back(
    web: str,
    place: Place,
    client: FlaskClient,
    standby: ReplicaServer,
    second_postgres: PostgresServer,
    alice: str,
    seconds: float,
) -> None:
    order = place("paid")
    standby.catch_up()
    with client_of(web) as sender, reading(web, order) as found:
        wait_until(lambda: found.stores["replica"] > 50, "the replica answers")
        have_faults(second_postgres, sender, found, seconds)


def test_no_read_fails_while_the_replica_is_stopped_killed_and_back(
    web: str, place: Place, standby: ReplicaServer, alice: str
) -> None:
    order = place("paid")
    standby.catch_up()
    with reading(web, order) as found:
        wait_until(lambda: found.stores["replica"] > 50, "the replica answers")
        standby.pause()
        wait_until(lambda: found.stores["primary"] > 100, "the primary answers")
        standby.resume()
        answered = found.stores["replica"]
        wait_until(lambda: found.stores["replica"] > answered + 50, "it is back")
        standby.kill()
        answered = found.stores["primary"]
        wait_until(lambda: found.stores["primary"] > answered + 100, "the primary does")
        standby.start()
        answered = found.stores["replica"]
        wait_until(lambda: found.stores["replica"] > answered + 50, "it is back")

    print(json.dumps({"stores": found.stores, "slowest": round(found.slowest, 3)}))
    assert found.failures == []


def stay_cut_off(client: Client, seconds: float) -> None:
    """See for so many seconds that the answers say so."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert is_cut_off(client, "/api/orders")
        time.sleep(0.5)


def is_cut_off(client: Client, path: str) -> bool:
    because: str | None = client.get(path).get("stands_still_because")
    return because == "cut off"
