"""Catch up all subscriptions: the task that writers and beat send."""

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from celery.exceptions import SoftTimeLimitExceeded

from eventstore.past.dropping import forget_copies
from eventstore.projections.failures import Failure
from eventstore.projections.forgetting import forgetting
from eventstore.projections.live_readers import LiveReaders, find_live_readers
from eventstore.projections.parked_streams import kind_of_error
from eventstore.projections.parking import Parker
from eventstore.signals import CATCH_UP, is_raised, send_signal
from eventstore.stores.registry import note_forgetting
from eventstore.subscriptions.catch_up import CaughtUp, lag
from eventstore.subscriptions.lag import SubscriptionLag, find_standings
from eventstore.subscriptions.process_manager import ProcessManagerRun
from eventstore.subscriptions.reader import Reader, names_of
from eventstore.subscriptions.shared_pass import SharedPass
from eventstore.subscriptions.stop_reasons import WAITS, kind_of, said_of
from eventstore.subscriptions.subscription import Subscription
from tasks.app import app
from tasks.broker import publish
from tasks.shop.logging import logger_of
from tasks.shop.wiring import Shop, shop

Tell = Callable[[Shop, UUID], None]

log = logger_of(__name__)

MAX_SECONDS_OF_RUN = 5.0
"""Seconds after which a run that has not reached the end leaves the rest to another."""
SHARE = 0.25
"""The part of its time in which a run reads; it leaves the rest to others."""
MAX_PAUSE = 0.1
# Keys of two integers are a space of their own, beside those that `lock_key` computes.
TURN = "hashtext('recount'), hashtext('catch up')"


@app.task(name="catch_up")
def catch_up() -> None:
    """Catch up every subscription to *settled*."""
    if not run(shop()):
        publish.publish_catch_up(shop())


def run(
    shop: Shop,
    *,
    in_turn: bool = True,
    tell: Tell = publish.publish,
    is_brief: bool = False,
) -> bool:
    """
    Catch up every subscription to *settled*, unless another session does so.

    Returns False if its time was over before the end: the caller must have the rest
    read. *is_brief* does a single pass, and reads no subscription alone.

    One session at a time: a second would only wait, and keep a worker's child from
    commands. The first looks again before it ends, so it reads what the second came
    for. Correctness does not need the lock, since checkpoints keep two apart: a caller
    that sees no progress, because the holder was stopped, passes *in_turn* as False.
    *tell* is called with each command that a process manager has sent.
    """
    until = time.monotonic() + (0 if is_brief else MAX_SECONDS_OF_RUN)
    with shop.lent() as connection:
        while True:
            if in_turn and not take_turn(connection):
                return True
            subscriptions = read_to_the_end(
                shop, connection, until, tell, is_brief=is_brief
            )
            # Not in a finally: a connection that is left by an exception is thrown
            # away, and the turn goes with it.
            if in_turn:
                end_turn(connection)
            # The flag is up where a writer raised it and found our turn taken, while an
            # earlier one held back what it wrote: nobody but us would look again.
            with connection.pipeline():
                has_more = lag(connection, names_of(subscriptions)) > 0
                has_more |= is_raised(connection, CATCH_UP)
            if not has_more:
                return True
            if time.monotonic() > until:
                return False


def take_turn(connection: psycopg.Connection[Any]) -> bool:
    """Take the session lock on catching up; return False if another has it."""
    row = connection.execute(f"SELECT pg_try_advisory_lock({TURN})").fetchone()
    return row == (True,)


def end_turn(connection: psycopg.Connection[Any]) -> None:
    connection.execute(f"SELECT pg_advisory_unlock({TURN})")


def read_to_the_end(
    shop: Shop,
    connection: psycopg.Connection[Any],
    until: float,
    tell: Tell,
    *,
    is_brief: bool = False,
) -> Sequence[Subscription]:
    """
    Read passes until the end or until time is up; return the subscriptions read.

    The flag is set while we read: a writer that appends meanwhile need not send
    another task, since we look again after clearing the flag.
    """
    sent: list[UUID] = []

    def tell_all() -> None:
        while sent:
            tell(shop, sent.pop(0))

    def note_pass(done: SharedPass, seconds: float) -> None:
        if done.error is not None:
            # The pass was rolled back, and these commands with it.
            sent.clear()
        report_pass(done, seconds)
        tell_all()

    def note_alone(
        subscription: Subscription, reached: CaughtUp, seconds: float
    ) -> None:
        report_alone(subscription, reached, seconds)
        tell_all()

    reader = Reader(connection, note_pass, note_alone, (SoftTimeLimitExceeded,))
    subscriptions = live_subscriptions(shop, connection, sent)
    reader.begin(subscriptions)
    while True:
        started = time.monotonic()
        done = reader.read(subscriptions, is_brief=is_brief)
        # There is also something left where a rebuild holds a checkpoint to swap.
        if not reader.has_more(subscriptions, CATCH_UP) or time.monotonic() > until:
            break
        send_signal(connection, CATCH_UP)
        if done.skipped:
            # A rebuild may have put another generation in its place.
            subscriptions = live_subscriptions(shop, connection, sent)
        pause = (time.monotonic() - started) * (1 / SHARE - 1)
        time.sleep(min(pause, MAX_PAUSE))
    reader.end()
    return subscriptions


def report_pass(done: SharedPass, seconds: float) -> None:
    """Log a shared pass that advanced checkpoints or was rolled back."""
    if done.error is not None:
        log.warning(
            "pass undone", because=kind_of(done.error), error=said_of(done.error)
        )
    elif readers := [name for name, handled in done.handled.items() if handled]:
        log.info(
            "caught up",
            subscriptions=readers,
            checkpoint=done.checkpoint,
            handled=max(done.handled.values()),
            seconds=round(seconds, 4),
        )


def report_alone(subscription: Subscription, reached: CaughtUp, seconds: float) -> None:
    """Log the result of a subscription that was read alone."""
    if reached.error is not None:
        because = kind_of(reached.error)
        # Who waits for another reader has nothing wrong, and tries again many times a
        # second while a history is read.
        write = log.debug if because == WAITS else log.error
        write(
            "stopped",
            subscription=subscription.name,
            checkpoint=reached.checkpoint,
            position=reached.stopped_at,
            because=because,
            error=said_of(reached.error),
        )
    elif reached.handled:
        log.info(
            "caught up",
            subscriptions=[subscription.name],
            checkpoint=reached.checkpoint,
            handled=reached.handled,
            seconds=round(seconds, 4),
        )


def report_parked(subscription: str, failure: Failure) -> None:
    """Log a stream that a read model cannot follow."""
    error, line = kind_of_error(failure.error)
    log.error(
        "parked",
        subscription=subscription,
        stream_id=failure.stream_id,
        position=failure.position,
        error=error,
        line=line,
        because_of=failure.because_of,
    )


def live_subscriptions(
    shop: Shop, connection: psycopg.Connection[Any], sent: list[UUID] | None = None
) -> Sequence[Subscription]:
    """
    Return the subscriptions: process managers, the live generation of each read model.

    Commands that a process manager sends are added to *sent*. A generation made from
    another definition is left out: its tables do not fit.
    """
    acting = at_work(shop, [] if sent is None else sent)
    parker = Parker(
        masters=shop.deciders.masters,
        report=report_parked,
        interruptions=(SoftTimeLimitExceeded,),
    )

    def find() -> LiveReaders:
        return find_live_readers(
            connection, shop.projections, acting, parker.subscription_of
        )

    readers = find()
    if readers.missing:
        shop.ensure_read_models()
        readers = find()
    for name in (*readers.outdated.values(), *readers.missing):
        say_outdated(name)
    # Last, because it acts on rows that the read models before it have written.
    return [
        *readers.subscriptions,
        forgetting(shop.projections, shop.deciders.forgets, then=forget_everywhere),
    ]


def forget_everywhere(connection: psycopg.Connection[Any], position: int) -> None:
    """Have the stores and the copies of the past forget whom the live rows forgot."""
    note_forgetting(connection, position)
    forget_copies(connection, position)


def at_work(shop: Shop, sent: list[UUID]) -> list[ProcessManagerRun]:
    secret = shop.settings.secret_key.encode()
    return [
        ProcessManagerRun(process, shop.deciders, secret, sent)
        for process in shop.process_managers
    ]


def find_live_standings(shop: Shop) -> list[SubscriptionLag]:
    """Return the lag of the live generations, not of those kept or being filled."""
    with shop.lent() as connection:
        live = live_subscriptions(shop, connection)
        return find_standings(connection, [subscription.name for subscription in live])


@cache
def say_outdated(name: str) -> None:
    """Log it once a process: catch-ups are milliseconds apart."""
    log.error(
        "%s stands still, made for another version: recount rebuild %s", *[name] * 2
    )
