"""Start the heartbeats of web, beat and relay; of a worker with data on its queue."""

import atexit
import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from celery.signals import beat_init, worker_ready, worker_shutdown
from celery.utils.dispatch import Signal
from celery.worker import state

from eventstore.heartbeats.heartbeats import Beat
from tasks.broker import publish
from tasks.broker.circuit_breaker import State
from tasks.broker.queues import QUEUES
from tasks.heartbeat.pulse import Pulses
from tasks.heartbeat.thread import Heart, name_of
from tasks.shop.wiring import Shop, shop

came: Any = Signal(name="came", providing_args=["headers"])
"""Sent for each readable message, whether or not it starts a task."""

_hearts: list[Heart] = []


def begin(shop: Shop, role: str) -> None:
    """Start the heartbeat of this process, which lasts until it ends."""
    process = name_of(role)

    def tell() -> Beat:
        broker = shop.breaker.state
        if broker is not State.CLOSED:
            # The process that opened the breaker may have died; another must probe.
            publish.outbox.start()
        return Beat(process=process, role=role, detail={"breaker": broker.value})

    start(Heart(shop.settings.database_url, shop.settings.role, tell, lambda: None))


def begin_where_served(shop: Shop, role: str) -> None:
    """
    Start the heartbeat of this process, or else of the children that it forks.

    A server that forks after loading the application leaves it to its children: they
    use the breaker, and a connection must not be shared across a fork.
    """
    begin(shop, role)
    os.register_at_fork(before=end, after_in_child=partial(begin, shop, role))


def start(heart: Heart) -> None:
    _hearts.append(heart.start())
    atexit.register(end)


def end(**_: object) -> None:
    while _hearts:
        _hearts.pop().stop()


class Queue:
    """What a worker's main process knows about the queue of commands."""

    def __init__(self, children: int, queues: set[str], pulses: Pulses) -> None:
        self.process = name_of("worker")
        self.children = children
        self.queues = queues
        self.pulses = pulses
        self.count = 0
        self.count_before = 0
        self.received: UUID | None = None
        self.free_since: float | None = None

    def note(self, headers: Mapping[str, str], **_: object) -> None:
        """Note a message; one that names commands shows how far the queue is read."""
        self.count += 1
        # By the task's name: the shadow is the type of its command.
        if headers["task"] == "execute":
            try:
                self.received = UUID(headers.get("id", ""))
            except ValueError:
                # Not one of our messages.
                return

    def look(self) -> None:
        """Note since when a child is idle while no message comes."""
        is_free = len(state.reserved_requests) < self.children
        if not is_free or self.count != self.count_before:
            self.free_since = None
        elif self.free_since is None:
            self.free_since = time.monotonic()
        self.count_before = self.count

    def tell(self) -> Beat:
        free_since = self.free_since
        still = self.pulses.count_still(self.children)
        return Beat(
            process=self.process,
            role="worker",
            # This process runs no command: if no child moves, the messages that it
            # takes are lost.
            serves_commands=QUEUES[0] in self.queues and still < self.children,
            idle_seconds=(
                None if free_since is None else time.monotonic() - free_since
            ),
            received=self.received,
            detail={
                "children": self.children,
                "still": still,
                "queues": sorted(self.queues),
            },
        )


@worker_ready.connect
def begin_as_worker(sender: Any, **_: object) -> None:
    """Start the heartbeat of a worker's main process; its children come and go."""
    queue = Queue(
        children=sender.controller.concurrency,
        queues={
            queue.alias or name
            for name, queue in sender.app.amqp.queues.consume_from.items()
        },
        pulses=shop().pulses,
    )
    came.connect(queue.note, weak=False)
    settings = shop().settings
    start(Heart(settings.database_url, settings.role, queue.tell, queue.look))


worker_shutdown.connect(end)


@beat_init.connect
def begin_as_beat(**_: object) -> None:
    begin(shop(), "beat")
