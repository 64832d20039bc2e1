"""
Telling the workers, best effort: what matters is in PostgreSQL already.

A broker that is frozen lets nobody wait but the thread that publishes, and that one
leaves it alone for a while.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.exc import OperationalError

from tasks.app import app
from tasks.broker.circuit_breaker import Breaker, State
from tasks.broker.publisher_thread import PublisherThread
from tasks.shop.wiring import Shop
from tasks.shop.wiring import shop as shop_here

log = logging.getLogger(__name__)

breaker = Breaker()
"""Of this process: whether its broker answers."""
outbox = PublisherThread(when_idle=lambda: probe())

MAX_TOGETHER = 20
"""So many commands one task names that were accepted while another was sent."""


SECONDS_TO_GATHER = 0.005
"""After one was sent; where nothing was sent just now a command is told of at once."""


class PendingMessage(NamedTuple):
    """A task that names commands, as it would be sent by itself."""

    arguments: Sequence[Any]
    task_id: str | None
    shadow: str | None


# What the outbox has not sent yet.
gathered: deque[PendingMessage] = deque()
# Its messages stay with who has put them there.
os.register_at_fork(after_in_child=gathered.clear)


def publish(shop: Shop, command_id: UUID, command_type: str = "execute") -> None:
    """
    Send the task that runs a command; the message holds its id and nothing else.

    A broker that is away is no error: the relay runs what nobody was told of.
    """
    send("execute", shop, [[str(command_id)]], str(command_id), command_type)


def publish_many(shop: Shop, command_ids: Sequence[UUID]) -> None:
    """Send one task for the streams of several commands; it is called as the first."""
    ids = [str(command_id) for command_id in command_ids]
    send("execute", shop, [ids], ids[0], "many")


def publish_catch_up(shop: Shop) -> None:
    """Send the signal that there may be something to read in the log."""
    if shop.settings.catch_up_signals:
        send("catch_up", shop, [])


def send(
    name: str,
    shop: Shop,
    arguments: list[Any],
    task_id: str | None = None,
    shadow: str | None = None,
) -> None:
    """
    Send a task soon, if the broker is well; the caller does not wait for it.

    A worker sends at once: its child may end before another thread has sent.
    """
    message: Callable[[], None] = partial(deliver, name, arguments, task_id, shadow)
    if shop.settings.role == "worker":
        message()
        return
    if breaker.state is State.OPEN and not breaker.is_due:
        return
    if name == "execute":
        told = PendingMessage(arguments, task_id, shadow)
        gathered.append(told)
        message = deliver_gathered
    if not outbox.put(message):
        log.warning("not published task=%s error=%s", name, "OutboxFull")
        if name == "execute":
            with suppress(ValueError):
                gathered.remove(told)


def deliver_gathered() -> None:
    """
    Hand over what waits to be told to workers as one task, if it is not too much.

    To send a message takes as long as to accept a command. Each was put into the outbox
    with a call of this, and those behind the first that has taken all find nothing.
    """
    together = next_together()
    if not together:
        return
    first = together[0]
    ids = [one for told in together for one in told.arguments[0]]
    shadow = first.shadow if len(together) == 1 else "many"
    deliver("execute", [ids], first.task_id, shadow)
    # The thread of the outbox rests: what comes close behind goes together.
    time.sleep(SECONDS_TO_GATHER)


def next_together() -> list[PendingMessage]:
    """Take from what was gathered what goes by one task: the first, and what fits."""
    together: list[PendingMessage] = []
    room = MAX_TOGETHER
    # Who finds the outbox full takes its own back, also between two of these lines; an
    # error would end the thread of the outbox.
    with suppress(IndexError):
        while not together or len(gathered[0].arguments[0]) <= room:
            together.append(gathered.popleft())
            room -= len(together[-1].arguments[0])
    return together


def deliver(
    name: str, arguments: list[Any], task_id: str | None, shadow: str | None
) -> None:
    """Hand a task to the broker, unless it has failed a moment ago."""
    if not knows_its_queues() or not breaker.lets_through():
        return
    before = breaker.state
    try:
        app.send_task(name, arguments, task_id=task_id, shadow=shadow)
    except Exception as error:
        breaker.failed()
        log.warning(
            "not published task=%s error=%s breaker=%s",
            name,
            type(error).__name__,
            breaker.state.value,
        )
    else:
        note_answer(before)


def probe() -> None:
    """
    Ask a broker that has failed whether it is back, where there is no message to try.

    Else a shop that nobody orders from would be shown without a broker for hours.
    """
    if breaker.state is State.CLOSED:
        return
    if not knows_its_queues() or not breaker.lets_through():
        return
    before = breaker.state
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1)
    except Exception:
        # It was told as it failed, and the breaker shows that it still does.
        breaker.failed()
    else:
        note_answer(before)


def knows_its_queues() -> bool:
    """
    Return whether the shop's queues have their names, which PostgreSQL tells once.

    Asked before Celery asks for its settings: where they raise, it goes on with its own
    for as long as the process lives.
    """
    try:
        return bool(shop_here().identity)
    except OperationalError as error:
        log.warning("not published error=%s", type(error).__name__)
        return False


def note_answer(before: State) -> None:
    breaker.succeeded()
    if before is not State.CLOSED:
        log.info("the broker answers again breaker=closed")
