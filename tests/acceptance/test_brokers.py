"""Other brokers than a Redis that trusts everybody: another REDIS_URL, and no more."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa

from tests.support.client import client_of
from tests.support.orders import ALICE
from tests.support.processes import Processes
from tests.support.rabbitmq import rabbitmq_server, start_rabbitmq
from tests.support.tls import make_certificate, tls_in_front_of

pytestmark = pytest.mark.races

PASSWORD = "open-sesame"


def who_ran(processes: Processes, engine: sa.Engine) -> str:
    """Send one command to a shop without a relay; return who ran it."""
    processes.worker()
    with client_of(processes.web()) as client:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
    with engine.connect() as connection:
        ran_by = connection.scalar(sa.text("SELECT ran_by FROM commands"))
    return str(ran_by).partition(":")[0]


def test_redis_with_a_password_behind_tls(
    processes: Processes, engine: sa.Engine
) -> None:
    certificate, key = make_certificate(processes.folder)
    path = str(processes.folder / "redis.sock")
    processes.redis("--requirepass", PASSWORD)
    with tls_in_front_of(path, certificate, key) as port:
        trust = f"ssl_cert_reqs=required&ssl_ca_certs={certificate}"
        url = f"rediss://:{PASSWORD}@127.0.0.1:{port}/0?{trust}"
        processes.settings = replace(processes.settings, broker_url=url)

        assert who_ran(processes, engine) == "worker"
    logged = "".join(process.text() for process in processes.all)
    assert PASSWORD not in logged


def test_what_operators_send_is_told_to_workers_before_their_command_ends(
    processes: Processes, tmp_path: Path
) -> None:
    processes.redis()
    lines = tmp_path / "customers.ndjson"
    lines.write_text(json.dumps({"type": "RegisterCustomer", "data": ALICE}))
    sent = processes.start(
        "cli", sys.executable, "-m", "cli", "commands", "submit", str(lines)
    )
    assert sent.running is not None
    assert sent.running.wait(20) == 0, sent.text()
    path = str(processes.folder / "redis.sock")
    with redis.Redis(unix_socket_path=path) as broker:
        assert broker.llen(processes.queue("commands")) == 1, sent.text()


@pytest.mark.skipif(
    rabbitmq_server() is None,
    reason="there is no RabbitMQ here: apt install rabbitmq-server",
)
def test_rabbitmq(processes: Processes, engine: sa.Engine) -> None:
    url = start_rabbitmq(processes, rabbitmq_server() or "")
    processes.settings = replace(processes.settings, broker_url=url)

    assert who_ran(processes, engine) == "worker"
