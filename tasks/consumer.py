"""What a worker takes messages with: one that cannot be read does not end it."""

import logging
from collections.abc import Callable
from typing import Any

from celery.worker import state
from celery.worker.consumer import Consumer

log = logging.getLogger(__name__)

UNREADABLE = (TypeError, ValueError, LookupError, AttributeError)
"""What Celery and its transport raise where a message is not what they take it for."""


class PatientConsumer(Consumer):
    """
    Leaves out what cannot be read, and goes on.

    Celery ends the worker for some of it, and gives the message back before that: then
    the next worker takes it, and ends as well, and so for ever. Nothing of ours is lost
    by leaving a message out, whatever it was: the journal has all that was accepted.
    """

    controller: Any
    loop: Callable[..., Any]
    connection_errors: tuple[type[Exception], ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loop = connecting_anew(self.loop)
        self.controller._process_task = self.giving_its_place_back(
            self.controller._process_task
        )

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        receive = super().create_task_handler(*args, **kwargs)

        def on_task_received(message: Any) -> None:
            try:
                receive(message)
            except UNREADABLE as error:
                self.leave_out(message, error)

        return on_task_received

    def giving_its_place_back(
        self, begin: Callable[[Any], Any]
    ) -> Callable[[Any], Any]:
        """
        Return what hands a task to a child: one that it cannot hand over is done with.

        Each has got a child's place by then. Kept, as many of them as there are
        children would leave a worker that seems to be busy for ever.
        """

        def hand_over(request: Any) -> None:
            try:
                begin(request)
            except UNREADABLE as error:
                self.leave_out(request.message, error)
                state.task_ready(request)
                if self.controller.semaphore is not None:
                    self.controller.semaphore.release()

        return hand_over

    def leave_out(self, message: Any, error: Exception) -> None:
        say(error)
        if not message.acknowledged:
            message.reject_log_error(log, self.connection_errors)


def connecting_anew(loop: Callable[..., Any]) -> Callable[..., Any]:
    """
    Return Celery's loop, for which what is no message at all is a lost connection.

    It was read in the middle of the transport's work, which is begun anew by that; the
    tasks that run are left alone.
    """

    def run(*args: Any) -> Any:
        try:
            return loop(*args)
        except UNREADABLE as error:
            say(error)
            raise ConnectionError("what came is no message") from error

    return run


def say(error: Exception) -> None:
    """Log that something was left out, and nothing of what is in it."""
    log.error("unreadable message left out error=%s", type(error).__name__)
