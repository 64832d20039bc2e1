"""
A process of the web: gunicorn starts it, keeps it and ends it, waitress serves in it.

    gunicorn --worker-class webapp.serving.worker.Worker …
"""

import os
from types import FrameType

from gunicorn.workers.base import Worker as Base

from webapp.serving.server import Server, one_listener


class Worker(Base):
    """Serves until a signal, or until its gunicorn is gone."""

    server: Server | None = None

    def run(self) -> None:
        listener = one_listener(self.sockets)
        self.server = server = Server(self.wsgi, listener, self.cfg.threads)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            server.turn()
        # A second signal finds nothing that it would have to wake.
        self.server = None
        server.end(self.cfg.graceful_timeout, self.notify)

    def handle_exit(self, number: int, frame: FrameType | None) -> None:
        super().handle_exit(number, frame)
        if self.server is not None:
            # It may be waiting, and goes on to wait after a signal.
            self.server.pull_trigger()
