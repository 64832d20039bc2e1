"""
Telling the workers, best effort: what matters is in PostgreSQL already.

A broker that is frozen lets nobody wait but the thread that publishes, and that one
leaves it alone for a while.
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
"""After one was sent; where nothing was sent just now a command is told of at once."""

outbox = PublisherThread(
    lambda together: deliver_together(together), when_idle=lambda: probe()
)


def publish(shop: Shop, command_id: UUID, command_type: str = "execute") -> None:
    """
    Send the task that runs a command; the message holds its id and nothing else.

    A broker that is away is no error: the relay runs what nobody was told of.
    """
    send("execute", shop, [str(command_id)], str(command_id), command_type)


def publish_many(shop: Shop, command_ids: Sequence[UUID]) -> None:
    """Send one task for the streams of several commands; it is called as the first."""
    ids = [str(command_id) for command_id in command_ids]
    send("execute", shop, ids, ids[0], "many")


def publish_catch_up(shop: Shop) -> None:
    """Send the signal that there may be something to read in the log."""
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
    Send a task soon, if the broker is well; the caller does not wait for it.

    A worker sends at once: its child may end before another thread has sent.
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
    Hand messages that name commands over as one task: it takes as long as one alone.

    What is put into the outbox meanwhile, and shortly after it, goes with the next.
    """
    message = together[0]
    if len(together) > 1:
        ids = [one for message in together for one in message.command_ids]
        message = message._replace(command_ids=ids, shadow="many")
    deliver(message)
    if message.command_ids:
        time.sleep(SECONDS_TO_GATHER)


def deliver(message: PendingMessage) -> None:
    """Hand a task to the broker, unless it has failed a moment ago."""
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
    Ask a broker that has failed whether it is back, where there is no message to try.

    Else a shop that nobody orders from would be shown without a broker for hours.
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
    shop_here().breaker.succeeded()
    if before is not State.CLOSED:
        log.info("the broker answers again breaker=closed")
