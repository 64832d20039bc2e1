"""Attempts: the requests of one event, sent by a thread, and the pause after one."""

import logging
import random
import time
from collections.abc import Sequence
from typing import NamedTuple

from tasks.webhooks.addresses import Network
from tasks.webhooks.posting import Answer, post
from tasks.webhooks.signing import sign

FIRST_PAUSE = 1.0
MAX_PAUSE = 300.0
"""Seconds between two attempts at most, also if the receiver asks for more."""
MAX_SECONDS = 3_600.0
"""Seconds over which an event is tried, before its webhook is stopped."""

log = logging.getLogger(__name__)


class Message(NamedTuple):
    """An event as it is sent: its id, the same at each attempt, and its JSON."""

    id: str
    body: bytes


class Attempt(NamedTuple):
    """The messages of one recorded event, nearly always one, and where they go."""

    stream: str
    url: str
    secrets: Sequence[bytes]
    messages: Sequence[Message]
    allowed: Sequence[Network]


class Result(NamedTuple):
    """
    What became of an attempt.

    *sent* counts the messages that were delivered, *answer* is that of the last one.
    """

    stream: str
    sent: int
    answer: Answer
    seconds: float


def carry_out(attempt: Attempt) -> Result:
    """Send the messages one after the other, until one is not delivered."""
    began, sent = time.monotonic(), 0
    answer = Answer("delivered", "nothing to send")
    try:
        for message in attempt.messages:
            now = int(time.time())
            headers = sign(attempt.secrets, message.id, now, message.body)
            answer = post(attempt.url, headers, message.body, attempt.allowed)
            if not answer.is_delivered:
                break
            sent += 1
    except Exception as error:
        # A bug: without a result, the stream would stand still for ever.
        log.exception("attempt failed")
        answer = Answer("unreachable", f"error {type(error).__name__}: see the log")
    return Result(attempt.stream, sent, answer, time.monotonic() - began)


def pause_after(tries: int, asked: float = 0.0) -> float:
    """
    Return the seconds to wait after so many failed *tries*.

    They double, less up to a half by chance, so that receivers that come back are not
    overrun. *asked* is what the receiver asked for.
    """
    pause = min(FIRST_PAUSE * 2.0 ** min(tries - 1, 20), MAX_PAUSE)
    return max(pause * random.uniform(0.5, 1.0), min(asked, MAX_PAUSE))
