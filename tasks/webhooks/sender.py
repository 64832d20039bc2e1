"""
The sender: one process for all webhooks of a shop, with threads that wait for answers.

It looks at the log as the feed does: once in 0.25 seconds for all, and reads only where
something is settled that was not before. All of the database is the main thread's, over
one session, whose lock keeps other senders out: with the session the lock is lost, and
the right to write with it.
"""

import queue
import threading
import time
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from eventstore.encryption.keys import WrappedKey
from eventstore.errors.refusals import ends_the_session
from eventstore.log.read import settled
from tasks.shop.logging import logger_of
from tasks.shop.wiring import Shop
from tasks.webhooks.attempts import pause_after
from tasks.webhooks.channel import Channel, Results
from tasks.webhooks.progress import (
    Progress,
    StoredProgress,
    find_progress,
    stop_unchanged,
)
from tasks.webhooks.registry import Webhook, find_webhooks
from tasks.webhooks.stored_secrets import find_secrets

SECONDS_BETWEEN_LOOKS = 0.25
SECONDS_BETWEEN_LISTS = 1.0
"""Between looks at which webhooks there are, and what operators did to them."""
SECONDS_WITHOUT_WEBHOOKS = 10.0
"""Seconds after which a sender without an active webhook ends."""
SECONDS_TO_END = 5.0
"""Seconds for requests under way when the sender is asked to end."""

log = logger_of(__name__)


class Rest(NamedTuple):
    """The pause of a webhook whose statements failed: how often, and until when."""

    failures: int
    until: float


class Sender:
    """The channels of the active webhooks, and the session that they share."""

    def __init__(self, shop: Shop, connection: psycopg.Connection[Any]) -> None:
        self.shop = shop
        self.connection = connection
        self.results: Results = queue.SimpleQueue()
        self.channels: dict[str, Channel] = {}
        self.rests: dict[UUID, Rest] = {}
        self.goal = -1
        self.next_look = 0.0
        self.next_list = 0.0
        self.had_webhooks_at = time.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Send until *stop* is set, or there has been no webhook for a while."""
        while not stop.is_set() and not self.is_superfluous:
            self.step()
        self.wind_up()

    @property
    def is_superfluous(self) -> bool:
        return time.monotonic() > self.had_webhooks_at + SECONDS_WITHOUT_WEBHOOKS

    def step(self) -> None:
        """Look if it is time, give each channel its turn, and wait for a result."""
        now = time.monotonic()
        if now >= self.next_list:
            self.next_list = now + SECONDS_BETWEEN_LISTS
            self.list_webhooks()
        if now >= self.next_look:
            self.next_look = now + SECONDS_BETWEEN_LOOKS
            self.goal = settled(self.connection)
        has_more = False
        for channel in list(self.channels.values()):
            if channel.needs_turn(self.goal, now):
                self.give_turn(channel)
                has_more |= channel.has_more(self.goal)
        due = min([self.next_look, *(c.next_due() for c in self.channels.values())])
        self.collect(0.0 if has_more else max(due - time.monotonic(), 0.0))

    def give_turn(self, channel: Channel) -> None:
        try:
            channel.turn(self.connection, self.goal)
        except Exception as error:
            channel.is_gone = True
            self.break_off(channel.progress, error)
        else:
            if channel.saved_at:
                self.rests.pop(channel.progress.id, None)
        if channel.is_gone and channel.is_idle:
            self.drop(channel)

    def break_off(self, progress: Progress | StoredProgress, error: Exception) -> None:
        """
        Leave out one webhook after an error, at the progress that was stored last.

        An error of a statement may be over soon: the webhook is opened again after a
        pause. Any other is a bug, or a row that cannot be read, and stops it. Raises
        *error* if it means that the session is lost, which is that of all webhooks.
        """
        if not isinstance(error, psycopg.Error):
            log.error("webhook broke off", webhook=progress.name, exc_info=error)
            because = f"error {type(error).__name__}: see the log of the relay"
            try:
                stop_unchanged(self.connection, progress, because)
                return
            except psycopg.Error as refused:
                error = refused
        if ends_the_session(self.connection, error):
            raise error
        failures = self.rests.get(progress.id, Rest(0, 0.0)).failures + 1
        pause = pause_after(failures)
        self.rests[progress.id] = Rest(failures, time.monotonic() + pause)
        log.warning(
            "webhook rests",
            webhook=progress.name,
            error=type(error).__name__,
            seconds=round(pause, 1),
        )

    def collect(self, seconds: float) -> None:
        """Hand results to their channels; wait so long for the first."""
        try:
            channel, result = self.results.get(timeout=seconds)
            while True:
                channel.arrived.append(result)
                channel, result = self.results.get_nowait()
        except queue.Empty:
            pass

    def list_webhooks(self) -> None:
        """Find out which webhooks there are, and what operators have changed."""
        webhooks = {one.name: one for one in find_webhooks(self.connection)}
        secrets = find_secrets(self.connection)
        found = {one.name: one for one in find_progress(self.connection)}
        for name, channel in list(self.channels.items()):
            if name not in found or not channel.progress.is_for(found[name]):
                # Its requests end first: the same event must not be under way twice.
                channel.is_gone = True
            else:
                state = found[name].state
                channel.progress = channel.progress._replace(state=state)
                channel.secrets = secrets.get(name, [])
            is_over = channel.is_gone or channel.progress.state != "active"
            if is_over and channel.is_idle:
                self.drop(channel)
        for name, progress in found.items():
            webhook = webhooks.get(name)
            # Each statement sees its own moment: one of that name may have been
            # removed, and another one added, between two of them. The progress is read
            # last, so the secrets are those of the webhook with its id.
            is_whole = webhook is not None and webhook.id == progress.id
            if is_whole and progress.state == "active" and name not in self.channels:
                assert webhook is not None
                self.open(webhook, progress, secrets.get(name, []))
        active = {one.id for one in found.values() if one.state == "active"}
        self.rests = {id_: one for id_, one in self.rests.items() if id_ in active}
        if self.channels or self.rests:
            self.had_webhooks_at = time.monotonic()

    def open(
        self, webhook: Webhook, stored: StoredProgress, secrets: list[WrappedKey]
    ) -> None:
        rest = self.rests.get(webhook.id)
        if rest is not None and time.monotonic() < rest.until:
            return
        try:
            progress = stored.read()
            channel = Channel(self.shop, webhook, progress, secrets, self.results)
            channel.restore(self.connection)
        except Exception as error:
            self.break_off(stored, error)
            return
        if not channel.is_gone:
            self.channels[webhook.name] = channel

    def drop(self, channel: Channel) -> None:
        """Forget a channel, which is idle, or whose sender ends."""
        self.channels.pop(channel.name, None)
        channel.threads.shutdown(wait=False, cancel_futures=True)

    def wind_up(self) -> None:
        """Send nothing more, and note what is under way as it ends."""
        until = time.monotonic() + SECONDS_TO_END
        for channel in self.channels.values():
            channel.progress = channel.progress._replace(state="paused")
        while time.monotonic() < until and not all(
            channel.is_idle for channel in self.channels.values()
        ):
            self.collect(SECONDS_BETWEEN_LOOKS)
            for channel in list(self.channels.values()):
                if channel.arrived:
                    self.give_turn(channel)
        for channel in list(self.channels.values()):
            if channel.streams and not channel.is_gone:
                # What has passed of their pauses.
                try:
                    channel.save(self.connection, is_last=False)
                except psycopg.Error as error:
                    self.break_off(channel.progress, error)
            self.drop(channel)
