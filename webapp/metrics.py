"""
Metrics for Prometheus, read from PostgreSQL: the same from every web process.

Those about the journal scan all of it, so they are cached for a while. None of them
names a stream, a person, or a command's data.
"""

import math
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from mmap import mmap
from typing import Any

import msgspec
import psycopg
import sqlalchemy as sa
from flask import Blueprint, Flask, Response, current_app
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from eventstore.heartbeats.heartbeats import find_heartbeats
from eventstore.journal.entries import SCHEDULED, count_waiting
from eventstore.journal.schema import STATUSES
from eventstore.journal.statistics import Tally, tally
from eventstore.journal.undecided_commands import count_undecided
from eventstore.projections.parked_streams import count_parked
from eventstore.projections.projection import Projection
from eventstore.rebuilding.fillings import find_fillings
from eventstore.sessions.silence import at_most_silent
from eventstore.stores.registry import find_copy_standings
from tasks.shop.shared_memory import SharedMemory
from tasks.shop.standings import find_all_standings
from tasks.shop.wiring import Shop
from tasks.stores.lending import MAX_SILENCE
from tasks.stores.standings import find_store_standings
from tasks.webhooks import standing as webhooks
from tasks.webhooks.posting import OUTCOMES
from tasks.webhooks.registry import STATES as STATES_OF_WEBHOOKS
from tasks.webhooks.turn import is_taken
from webapp.audit_metrics import of_audit
from webapp.current_shop import the_shop
from webapp.feed.tally import STREAM, WAITING, FollowerTally
from webapp.outages import DATABASE_ERRORS, is_outage
from webapp.past.metrics import of_past
from webapp.rebuild_metrics import of_rebuilds
from webapp.store_metrics import of_copies, of_stores

SECONDS_OF_A_TALLY = 15.0
MAX_FIGURES_BYTES = 64 * 1024
KEPT_HEAD = struct.Struct("=dQ")
"""The time of the last scan of the journal, and the bytes of its result."""

routes = Blueprint("metrics", __name__)


@routes.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Answer with all metrics."""
    registry = CollectorRegistry()
    kept: JournalFigures = current_app.extensions["tally"]
    followers: FollowerTally = current_app.extensions["follower"].tally
    registry.register(Figures(the_shop(), kept, followers))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class JournalFigures:
    """
    The last scan of the journal, shared by all web processes of the shop.

    If each had its own, a counter could decrease from one answer to the next.
    """

    def __init__(self) -> None:
        self.shared = SharedMemory(MAX_FIGURES_BYTES)

    def tally_of(self, connection: sa.Connection) -> Tally:
        with self.shared as memory:
            at, kept = self.read(memory)
        if kept and time.monotonic() <= at + SECONDS_OF_A_TALLY:
            return kept
        # Not while the memory is held: a slow scan would block all processes.
        now, found = time.monotonic(), tally(connection)
        with self.shared as memory:
            _, kept = self.read(memory)
            if kept and kept.accepted > found.accepted:
                return kept
            encoded = msgspec.json.encode(found)
            if KEPT_HEAD.size + len(encoded) <= MAX_FIGURES_BYTES:
                KEPT_HEAD.pack_into(memory, 0, now, len(encoded))
                memory[KEPT_HEAD.size : KEPT_HEAD.size + len(encoded)] = encoded
        return found

    def read(self, memory: mmap) -> tuple[float, Tally | None]:
        """Return the time and the result of the last scan; None if there was none."""
        at, length = KEPT_HEAD.unpack_from(memory)
        kept = memory[KEPT_HEAD.size : KEPT_HEAD.size + length]
        return at, msgspec.json.decode(kept, type=Tally) if length else None


class Figures(Collector):
    """The metrics of one shop."""

    def __init__(
        self, shop: Shop, kept: JournalFigures, followers: FollowerTally
    ) -> None:
        self.shop = shop
        self.kept = kept
        self.followers = followers

    def describe(self) -> Iterable[Metric]:
        """Return nothing: otherwise registering would query the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        reads = self.shop.reads
        if reads is None:
            yield from self.of_database()
        else:
            is_up = True
            try:
                with at_most_silent(MAX_SILENCE):
                    yield from list(self.of_database())
            except DATABASE_ERRORS as error:
                if not is_outage(error):
                    raise
                is_up = False
            yield from of_stores(is_up, find_store_standings(reads))
        yield from of_feed(self.followers)

    def of_database(self) -> Iterator[Metric]:
        with self.shop.autocommitting.connect() as tables:
            yield from of_journal(self.kept.tally_of(tables))
            yield from of_waiting(tables)
        with self.shop.lent() as connection:
            yield from of_subscriptions(connection, self.shop.projections)
            yield of_parked(connection, self.shop.projections)
            yield from of_audit(connection, self.shop.projections)
            yield from of_rebuilds(find_fillings(connection))
            yield from of_processes(connection)
            yield from of_webhooks(connection)
            yield from of_past(connection)
            if self.shop.settings.names_stores:
                yield from of_copies(find_copy_standings(connection))


def keep(app: Flask) -> None:
    """Give *app* the memory that its processes share; call it before the fork."""
    app.extensions["tally"] = JournalFigures()


def of_journal(found: Tally) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "recount_commands_accepted", "Commands accepted.", found.accepted
    )
    by_status = GaugeMetricFamily(
        "recount_commands", "Commands in the journal, by status.", labels=["status"]
    )
    for status in (*STATUSES, SCHEDULED):
        by_status.add_metric([status], found.by_status.get(status, 0))
    yield by_status
    by_runner = GaugeMetricFamily(
        "recount_commands_run",
        "Finished commands in the journal, by who ran them.",
        labels=["by"],
    )
    for runner, count in sorted(found.by_runner.items()):
        by_runner.add_metric([runner], count)
    yield by_runner
    yield GaugeMetricFamily(
        "recount_relay_share",
        "Share of the finished commands in the journal that the relay ran.",
        found.share_of("relay"),
    )
    yield GaugeMetricFamily(
        "recount_commands_attempts",
        "Attempts of all commands in the journal.",
        found.attempts,
    )
    yield GaugeMetricFamily(
        "recount_commands_conflicts",
        "Conflicts of all commands in the journal.",
        found.conflicts,
    )


def of_waiting(connection: sa.Connection) -> Iterator[Metric]:
    waiting = count_waiting(connection)
    yield GaugeMetricFamily(
        "recount_commands_waiting", "Commands that wait.", waiting.count
    )
    yield GaugeMetricFamily(
        "recount_commands_undecided",
        "Commands that were tried and cannot be decided.",
        count_undecided(connection),
    )
    yield GaugeMetricFamily(
        "recount_oldest_waiting_seconds",
        "Seconds since the oldest waiting command was accepted.",
        waiting.age,
    )
    yield GaugeMetricFamily(
        "recount_clock_stepped",
        "Whether the database's clock was set back while commands were waiting.",
        float(waiting.clock_stepped),
    )


def of_subscriptions(
    connection: psycopg.Connection[Any], projections: Sequence[Projection]
) -> Iterator[Metric]:
    lag = GaugeMetricFamily(
        "recount_subscription_lag",
        "Positions that a subscription is behind the settled position.",
        labels=["subscription"],
    )
    age_of_unread = GaugeMetricFamily(
        "recount_subscription_lag_seconds",
        "Age of the oldest settled event that it has not read, 0 if it has read all.",
        labels=["subscription"],
    )
    stopped = GaugeMetricFamily(
        "recount_subscription_stopped",
        "Whether a subscription stands still, for whatever reason.",
        labels=["subscription"],
    )
    seconds = GaugeMetricFamily(
        "recount_subscription_standstill_seconds",
        "Since when a subscription stands still, and why; NaN if unknown.",
        labels=["subscription", "because"],
    )
    ((now,),) = connection.execute("SELECT clock_timestamp()")
    for standing in find_all_standings(connection, projections):
        lag.add_metric([standing.name], standing.lag)
        if standing.seconds is not None:
            age_of_unread.add_metric([standing.name], standing.seconds)
        still = standing.standstill
        stopped.add_metric([standing.name], float(still is not None))
        if still is not None:
            age = math.nan
            if still.since is not None:
                age = max((now - still.since).total_seconds(), 0.0)
            seconds.add_metric([standing.name, still.because], age)
    yield lag
    yield age_of_unread
    yield stopped
    yield seconds


def of_feed(followers: FollowerTally) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "recount_feed_streams",
        "Open streams of events, of all web processes.",
        followers.count(STREAM),
    )
    yield GaugeMetricFamily(
        "recount_feed_waiting",
        "Requests that wait for an event, of all web processes.",
        followers.count(WAITING),
    )


def of_parked(
    connection: psycopg.Connection[Any], projections: Sequence[Projection]
) -> Metric:
    parked = GaugeMetricFamily(
        "recount_parked_streams",
        "Streams that a read model leaves out, without those that were dropped.",
        labels=["read_model"],
    )
    found = count_parked(connection)
    for name in (projection.name for projection in projections):
        parked.add_metric([name], found[name].number if name in found else 0)
    return parked


def of_processes(connection: psycopg.Connection[Any]) -> Iterator[Metric]:
    silence = GaugeMetricFamily(
        "recount_process_silence_seconds",
        "Seconds since the last heartbeat of a process.",
        labels=["process", "role"],
    )
    is_open = GaugeMetricFamily(
        "recount_breaker_open",
        "State of a process's circuit breaker: 1 open, 0.5 probing, 0 closed.",
        labels=["process"],
    )
    for heartbeat in find_heartbeats(connection):
        silence.add_metric([heartbeat.process, heartbeat.role], heartbeat.silence)
        state = heartbeat.detail.get("breaker")
        if state is not None and heartbeat.is_alive:
            value = {"open": 1.0, "half-open": 0.5}.get(state, 0.0)
            is_open.add_metric([heartbeat.process], value)
    yield silence
    yield is_open


def of_webhooks(connection: psycopg.Connection[Any]) -> Iterator[Metric]:
    """Yield what is known of webhooks, without their names and addresses."""
    standings = webhooks.find_standings(connection, counts_behind=False)
    by_state = GaugeMetricFamily(
        "recount_webhooks", "Webhooks, by state.", labels=["state"]
    )
    for state in STATES_OF_WEBHOOKS:
        by_state.add_metric([state], sum(one.state == state for one in standings))
    yield by_state
    yield GaugeMetricFamily(
        "recount_webhook_senders",
        "Processes that send to webhooks: 1, or 0 where nobody does.",
        float(is_taken(connection)),
    )
    by_outcome = GaugeMetricFamily(
        "recount_webhook_attempts",
        "Requests to the webhooks that there are, by how they ended.",
        labels=["outcome"],
    )
    for outcome in OUTCOMES:
        count = sum(one.outcomes.get(outcome, 0) for one in standings)
        by_outcome.add_metric([outcome], count)
    yield by_outcome
    yield GaugeMetricFamily(
        "recount_webhook_oldest_lag_seconds",
        "Since when the oldest event waits that a webhook has not delivered; also of"
        " those that were stopped, and not of those that are paused.",
        max([one.seconds for one in standings if one.state != "paused"], default=0.0),
    )
