"""
Send tasks to the workers, best effort: the commands are in PostgreSQL already.

If the broker is frozen, only the publishing thread waits, and the circuit breaker then
stops it from trying for a while.
"""

import logging
import time
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import OperationalError

from tasks.app import app
from tasks.broker.circuit_breaker import State
from tasks.broker.publisher_thread import PendingMessage, PublisherThread
from tasks.shop.wiring import Shop
from tasks.shop.wiring import shop as shop_here

log = logging.getLogger(__name__)

SECONDS_TO_GATHER = 0.005
"""Seconds to gather messages after a task was sent; after a pause there is no wait."""

outbox = PublisherThread(
    lambda together: deliver_together(together), when_idle=lambda: probe()
)


def publish(shop: Shop, command_id: UUID, command_type: str = "execute") -> None:
    """
    Send the task that runs a command; the message holds only its id.

    A broker that is away is no error: the relay runs commands without a message.
    """
    send("execute", shop, [str(command_id)], str(command_id), command_type)


def publish_many(shop: Shop, command_ids: Sequence[UUID]) -> None:
    """Send one task for the streams of several commands; its id is the first one's."""
    ids = [str(command_id) for command_id in command_ids]
    send("execute", shop, ids, ids[0], "many")


def publish_catch_up(shop: Shop) -> None:
    """Send the task that catches up subscriptions."""
    if shop.settings.catch_up_signals:
        send("catch_up", shop)


def send(
    task: str,
    shop: Shop,
    command_ids: Sequence[str] = (),
    task_id: str | None = None,
    shadow: str | None = None,
) -> None:
    """
    Send a task soon, if the broker is well; the caller does not wait.

    A worker sends at once: its child may end before another thread sends it.
    """
    message = PendingMessage(task, command_ids, task_id, shadow)
    if shop.settings.role == "worker":
        deliver(message)
        return
    breaker = shop_here().breaker
    if breaker.state is State.OPEN and not breaker.is_due:
        return
    if not outbox.put(message):
        log.warning("not published task=%s error=%s", task, "OutboxFull")


def deliver_together(together: Sequence[PendingMessage]) -> None:
    """
    Send messages that name commands as one task: it takes as long as a single one.

    Messages put into the outbox meanwhile, or shortly after, go into the next task.
    """
    message = together[0]
    if len(together) > 1:
        ids = [one for message in together for one in message.command_ids]
        message = message._replace(command_ids=ids, shadow="many")
    deliver(message)
    if message.command_ids:
        time.sleep(SECONDS_TO_GATHER)


def deliver(message: PendingMessage) -> None:
    """Send a task to the broker, unless the circuit breaker is open."""
    breaker = shop_here().breaker
    if not knows_its_queues() or not breaker.lets_through():
        return
    before = breaker.state
    arguments = [list(message.command_ids)] if message.command_ids else []
    try:
        app.send_task(
            message.task, arguments, task_id=message.task_id, shadow=message.shadow
        )
    except Exception as error:
        breaker.failed()
        log.warning(
            "not published task=%s error=%s breaker=%s",
            message.task,
            type(error).__name__,
            breaker.state.value,
        )
    else:
        note_answer(before)


def probe() -> None:
    """
    Check whether a failed broker answers again while there is no message to send.

    Otherwise an idle shop would show its broker as away for hours.
    """
    breaker = shop_here().breaker
    if breaker.state is State.CLOSED:
        return
    if not knows_its_queues() or not breaker.lets_through():
        return
    before = breaker.state
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1)
    except Exception:
        # The failure is logged already, and the breaker shows that it lasts.
        breaker.failed()
    else:
        note_answer(before)


def knows_its_queues() -> bool:
    """
    Return whether the names of the shop's queues are read from PostgreSQL.

    Call it before Celery reads its settings: if they raise, Celery uses its defaults
    for the life of the process.
    """
    try:
        return bool(shop_here().identity)
    except OperationalError as error:
        log.warning("not published error=%s", type(error).__name__)
        return False


def note_answer(before: State) -> None:
    shop_here().breaker.succeeded()
    if before is not State.CLOSED:
        log.info("the broker answers again breaker=closed")
