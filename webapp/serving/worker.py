"""
A web process: gunicorn starts, watches and ends it, waitress serves in it.

    gunicorn --worker-class webapp.serving.worker.Worker …
"""

import os
from types import FrameType

from gunicorn.workers.base import Worker as Base

from webapp.serving.server import Server, one_listener


class Worker(Base):
    """Serves until a signal, or until gunicorn's main process is gone."""

    server: Server | None = None

    def run(self) -> None:
        listener = one_listener(self.sockets)
        self.server = server = Server(self.wsgi, listener, self.cfg.threads)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            server.turn()
        # A second signal has nothing to wake.
        self.server = None
        server.end(self.cfg.graceful_timeout, self.notify)

    def handle_exit(self, number: int, frame: FrameType | None) -> None:
        super().handle_exit(number, frame)
        if self.server is not None:
            # The loop may be waiting, and would continue to wait after a signal.
            self.server.pull_trigger()
