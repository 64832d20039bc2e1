"""
What a worker takes messages with: not each is given to a task.

One that cannot be read ends no worker, and for what is done no process is asked.
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
What Celery and its transport raise where a message is not what they take it for.

Kombu counts some of these with what tells that the connection is lost.
"""

MAX_BYTES = 1_000_000
MAX_BYTES_OF_HEADER = 10_000
"""Ours are far below. To hand on many megabytes keeps a worker from all others."""

OURS = (
    *("lang", "task", "id", "root_id", "shadow", "origin", "argsrepr", "kwargsrepr"),
    # What beat sends is of no use any more when the next tick is due.
    "expires",
)
"""Headers of the messages that we send; all of them are texts."""


class PatientConsumer(Consumer):
    """
    Leaves out what cannot be read, and goes on.

    Celery ends the worker for some of it, and gives the message back before that: then
    the next worker takes it, and ends as well, and so for ever. Nothing of ours is lost
    by leaving a message out, whatever it was: the journal has all that was accepted.
    """

    loop: Callable[..., Any]
    connection_errors: tuple[type[Exception], ...]
    channel_errors: tuple[type[Exception], ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Those that Celery only logs where a message is acknowledged in vain, and goes
        # on: with one place less, as the message still has it. A broker that was frozen
        # for a second left workers that never took a message again. So these are none,
        # and what it connects again for (broker_channel_error_retry) is all of them,
        # and what ended it before: a Redis that is full, or follows another for a
        # while.
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
                # Without one Celery would look for a task in the way of older messages.
                name = message.headers["task"]
                came.send(sender=self, headers=message.headers)
                if name == "execute" and is_done(message):
                    message.ack()
                else:
                    receive(message)
            # Whatever reading it has raised: what is nested too deeply, or too large
            # for the memory that there is, is no ValueError.
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
        # The task will see, and say, what is wrong with it.
        return False


def ours(headers: Any) -> dict[str, str]:
    """
    Return those of a message's *headers* that ours have.

    Whatever else Celery finds there, it does: it waits until a time, or lets a task
    take for ever. What it cannot read of it, it notices only when a child's place is
    taken, which nobody gives back; or later still, and the message comes again and
    again.
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
    Return Celery's loop, for which what is no message at all is a lost connection.

    It was read in the middle of the transport's work, which is begun again by that; the
    tasks that run are left alone. What the loop itself raises for a *lost* connection
    it raises still.
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
    """Return whether *error* is one of *lost*, and not what reading has raised."""
    return isinstance(error, lost) and not isinstance(error, UNREADABLE)


def log_left_out(error: Exception) -> None:
    """Log that something was left out, and nothing of what is in it."""
    log.error("unreadable message left out error=%s", type(error).__name__)
