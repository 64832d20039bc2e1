"""A RabbitMQ of the test's own, where Debian's package is installed."""

import shutil
from pathlib import Path

from tests.support.processes import Processes, accepts, free_port
from tests.support.waiting import wait_until

SERVERS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", shutil.which("rabbitmq-server"))


def rabbitmq_server() -> str | None:
    """Return the program, not the package's wrapper, which wants to be a service."""
    return next((name for name in SERVERS if name and Path(name).exists()), None)


def start_rabbitmq(processes: Processes, program: str) -> str:
    """Start it with all its files in the test's folder; return its URL."""
    port, distribution, names = free_port(), free_port(), free_port()
    # The node would start one that outlives it.
    processes.start("epmd", "epmd", "-address", "127.0.0.1", "-port", str(names))
    wait_until(lambda: accepts(names), "Erlang's port mapper answers")
    folder = processes.folder / "rabbitmq"
    folder.mkdir()
    config = folder / "rabbitmq.conf"
    # Two nodes of one machine must not share a port, a name or a cookie.
    config.write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n")
    server = processes.start(
        "rabbitmq",
        program,
        HOME=str(folder),
        RABBITMQ_NODENAME=f"recount{port}@localhost",
        RABBITMQ_DIST_PORT=str(distribution),
        RABBITMQ_CONFIG_FILE=str(config),
        RABBITMQ_MNESIA_BASE=str(folder),
        RABBITMQ_LOG_BASE=str(folder),
        RABBITMQ_ENABLED_PLUGINS_FILE=str(folder / "plugins"),
        RABBITMQ_PID_FILE=str(folder / "pid"),
        ERL_EPMD_PORT=str(names),
        ERL_EPMD_ADDRESS="127.0.0.1",
    )
    wait_until(lambda: accepts(port), f"RabbitMQ: {server.text()[-2000:]}")
    return f"amqp://guest:guest@127.0.0.1:{port}//"
