"""Whose heart beats: web, beat and relay; and the worker, which tells of its queue."""

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
"""A message came that can be read, whether or not there is something to do for it."""

_hearts: list[Heart] = []


def begin(shop: Shop, role: str) -> None:
    """Have the heart of this process beat until it ends."""
    process = name_of(role)

    def tell() -> Beat:
        broker = shop.breaker.state
        if broker is not State.CLOSED:
            # The process that opened it may have died: somebody has to ask for the
            # broker.
            publish.outbox.start()
        return Beat(process=process, role=role, detail={"breaker": broker.value})

    start(Heart(shop.settings.database_url, shop.settings.role, tell, lambda: None))


def begin_where_served(shop: Shop, role: str) -> None:
    """
    Have the heart of this process beat, or of those that it forks to do its work.

    A server that loads the application and then forks leaves both to its children: the
    breaker is theirs, and a connection that is shared by a fork is nobody's.
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
    """What a worker's main process knows of the queue that it takes messages from."""

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
        """Note a message; one that names commands tells how far the queue is."""
        self.count += 1
        # Whatever it is shown as: its shadow is the type of its command.
        if headers["task"] == "execute":
            try:
                self.received = UUID(headers.get("id", ""))
            except ValueError:
                # Somebody else's message.
                return

    def look(self) -> None:
        """See whether a child has nothing to do and nothing comes."""
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
            # This process runs none itself: where none of the others moves, what it
            # takes from the queue is lost.
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
    """A worker's main process tells what it gets; its children come and go."""
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
