"""Other brokers than a Redis that trusts everybody: another REDIS_URL, and no more."""

from dataclasses import replace

import pytest
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


@pytest.mark.skipif(
    rabbitmq_server() is None,
    reason="there is no RabbitMQ here: apt install rabbitmq-server",
)
def test_rabbitmq(processes: Processes, engine: sa.Engine) -> None:
    url = start_rabbitmq(processes, rabbitmq_server() or "")
    processes.settings = replace(processes.settings, broker_url=url)

    assert who_ran(processes, engine) == "worker"
