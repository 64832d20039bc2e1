"""
The consumer of a worker's main process, which reads messages and starts tasks.

An unreadable message does not end the worker; a finished command starts no task.
"""

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from celery.exceptions import WorkerLostError
from celery.worker.consumer import Consumer

from tasks.heartbeat.processes import came
from tasks.shop.wiring import shop

log = logging.getLogger(__name__)

UNREADABLE = (TypeError, ValueError, LookupError, AttributeError)
"""
The errors that Celery and its transport raise for a malformed message.

Kombu counts some of them among its errors of a lost connection.
"""

MAX_BYTES = 1_000_000
MAX_BYTES_OF_HEADER = 10_000
"""Ours are far below. Passing on many megabytes would block a worker."""

OURS = (
    *("lang", "task", "id", "root_id", "shadow", "origin", "argsrepr", "kwargsrepr"),
    # A tick of beat is useless when the next one is due.
    "expires",
)
"""Headers of the messages that we send; all of them are texts."""


class PatientConsumer(Consumer):
    """
    A consumer that leaves out unreadable messages.

    For some of them Celery ends the worker and returns the message to the queue, so
    that it ends every next worker, too. Leaving a message out loses nothing: the
    journal has every accepted command.
    """

    loop: Callable[..., Any]
    connection_errors: tuple[type[Exception], ...]
    channel_errors: tuple[type[Exception], ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # If acknowledging a message raises one of connection_errors, Celery only logs
        # it, and the message keeps its place: after a broker was frozen for a second,
        # workers never took a message again. So none is a connection error. For
        # channel_errors it reconnects (broker_channel_error_retry): these are all of
        # them, also those that ended it before: a Redis that is full or a replica.
        self.channel_errors = self.connection_errors + self.channel_errors
        self.connection_errors = ()
        self.loop = connecting_anew(self.loop, self.channel_errors)

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        receive = super().create_task_handler(*args, **kwargs)

        def on_task_received(message: Any) -> None:
            try:
                message.headers = ours(message.headers)
                if len(message.body) > MAX_BYTES:
                    raise ValueError
                # Without a name Celery would read it as a message of an older protocol.
                name = message.headers["task"]
                came.send(sender=self, headers=message.headers)
                if name == "execute" and is_done(message):
                    message.ack()
                else:
                    receive(message)
            # Reading may raise anything: RecursionError for deep nesting, MemoryError
            # for size.
            except Exception as error:
                if is_lost(error, self.channel_errors):
                    raise
                log_left_out(error)
                if not message.acknowledged:
                    message.reject(requeue=False)

        return on_task_received


def is_done(message: Any) -> bool:
    """Return whether this worker has finished all that *message* names."""
    try:
        (named,), *_ = message.payload
        return all(UUID(one) in shop().done for one in named)
    except Exception:
        # The task will report what is wrong with it.
        return False


def ours(headers: Any) -> dict[str, str]:
    """
    Return those of a message's *headers* that our own messages have.

    Celery obeys any other header: a time to wait for, or no time limit. It reads some
    only after the message has taken a child's place, which is then never freed, or so
    late that the message is redelivered for ever.
    """
    return {
        name: headers[name]
        for name in OURS
        if isinstance(headers.get(name), str)
        and len(headers[name]) <= MAX_BYTES_OF_HEADER
    }


def connecting_anew(
    loop: Callable[..., Any], lost: tuple[type[Exception], ...]
) -> Callable[..., Any]:
    """
    Return Celery's loop, changed to reconnect after data that are no message.

    The error interrupts the transport, and reconnecting restarts it; running tasks are
    left alone. The loop's own errors for a *lost* connection are raised unchanged.
    """

    def run(*args: Any) -> Any:
        try:
            return loop(*args)
        except Exception as error:
            # The latter: no process of the pool could be started.
            if is_lost(error, (*lost, WorkerLostError)):
                raise
            log_left_out(error)
            raise ConnectionError("what came is no message") from error

    return run


def is_lost(error: Exception, lost: tuple[type[Exception], ...]) -> bool:
    """Return whether *error* is one of *lost* and not of UNREADABLE."""
    return isinstance(error, lost) and not isinstance(error, UNREADABLE)


def log_left_out(error: Exception) -> None:
    """Log that a message was left out, without its content."""
    log.error("unreadable message left out error=%s", type(error).__name__)
