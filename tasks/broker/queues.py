"""The queues of this shop at the broker, which no other shop's workers serve."""

import logging
import time

from kombu import Queue
from sqlalchemy.exc import OperationalError

from eventstore.errors.text import error_text
from tasks.shop.wiring import Shop

log = logging.getLogger(__name__)

QUEUES = ("commands", "projections", "maintenance")
SECONDS_BETWEEN_TRIES = 1.0


def queue_name(name: str, identity: str) -> str:
    """Return the broker's name of one of QUEUES, which has the shop's identity."""
    return f"{name}.{identity}"


def queues_of(identity: str) -> list[Queue]:
    """
    Return the shop's queues; a worker's `-Q commands` finds them by their short names.

    Two shops on one broker, Redis or RabbitMQ, share no queue. Workers that took each
    other's messages would find no such command, and the relay would run each of them a
    second later.
    """
    return [Queue(queue_name(name, identity), alias=name) for name in QUEUES]


def wait_for_identity(shop: Shop) -> str:
    """
    Return the shop's identity.

    A worker or beat waits for the database, which it needs; all others work without
    the broker.
    """
    while True:
        try:
            return shop.identity
        except OperationalError as error:
            if shop.settings.role != "worker":
                raise
            reason = error_text(error.orig) if error.orig else type(error).__name__
            log.warning("waiting for the database error=%s", reason.splitlines()[0])
            time.sleep(SECONDS_BETWEEN_TRIES)
