"""
What a hot stream costs: memory, the share of other streams, and decisions done twice.

    python benchmarks/hot_stream.py --commands 100000 --workers 2
    python benchmarks/hot_stream.py --commands 20000 --workers 8 --others 0

The commands wait in the journal, a message for each in a queue, as with a broker that
gives each worker one at a time. Then they are drained by processes of their own, while
commands to other streams come in ten times a second. It makes a database on the server
of DATABASE_URL, and drops it.
"""

import argparse
import multiprocessing
import os
import queue
import resource
import statistics
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec
import psycopg
import sqlalchemy as sa

sys.path.insert(0, os.fspath(Path(__file__).resolve().parents[1]))

from eventstore.aggregates.decider import Decider, Deciders
from eventstore.database.installation import install
from eventstore.journal.accept import accept
from eventstore.journal.drain import drain
from eventstore.journal.runner import Runner
from eventstore.log.codec import EventCodec
from tasks.shop.connections import connect
from tasks.shop.setting_values import database_url

HOT = "meter-hot"
FEW = 500
"""So many messages are there of the hot stream when it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    amount: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Count something at a meter."""

    meter_id: str
    amount: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter, as its events so far leave it."""

    total: int = 0


class NeverRefused(Exception):
    """No rule says no here."""


class Work(NamedTuple):
    """What one process has done."""

    finished: int
    decided: int
    kilobytes_before: int
    kilobytes: int


def meters(tally: list[int]) -> Deciders:
    def decide(_: Meter, command: Count) -> Sequence[Counted]:
        tally[0] += 1
        return [Counted(amount=command.amount, note=command.note)]

    return Deciders(
        [
            Decider(
                category="meter",
                initial=Meter(),
                decide=decide,
                evolve=lambda meter, event: Meter(meter.total + event.amount),
                events=EventCodec([Counted]),
                commands=[Count],
                rejection=NeverRefused,
                invalid=msgspec.ValidationError,
                identity="meter_id",
            )
        ]
    )


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def work(url: str, messages: "Queue[UUID | None]", done: "Queue[Work]") -> None:
    """Run one message after the other, as a worker does, until there is none."""
    tally = [0]
    runner = Runner(deciders=meters(tally), name=f"worker:{os.getpid()}")
    finished = 0
    with connect(url) as connection:
        connection.execute("SELECT 1")
        before = peak()
        while (message := messages.get()) is not None:
            drained = drain(connection, [message], runner)
            finished += drained.finished
            for next_due in drained.left:
                messages.put(next_due)
    done.put(Work(finished, tally[0], before, peak()))


def fill(connection: psycopg.Connection[Any], count: int) -> list[UUID]:
    """Let *count* commands wait for the hot stream, of some 300 bytes each."""
    rows = connection.execute(
        """
        INSERT INTO public.commands
            (id, stream_id, type, data, metadata, principal, fingerprint)
        SELECT
            gen_random_uuid(), %s, 'Count',
            jsonb_build_object(
                'meter_id', 'hot', 'amount', 1, 'note', repeat('x', 200)
            ),
            jsonb_build_object('correlation_id', gen_random_uuid(), 'actor', 'alice'),
            'alice', ''
        FROM generate_series(1, %s)
        RETURNING id
        """,
        (HOT, count),
    ).fetchall()
    return [command_id for (command_id,) in rows]


def send_others(
    connection: psycopg.Connection[Any],
    messages: "Queue[UUID | None]",
    every: float,
    sent: list[UUID],
) -> None:
    """Send commands to other streams for as long as the hot one is drained."""
    decider = meters([0]).all[0]
    while waits(connection, HOT):
        accepted = accept(
            connection,
            Count(meter_id=f"other{len(sent)}"),
            decider=decider,
            principal="alice",
            key=str(uuid4()),
            secret=b"of no use",
        )
        sent.append(accepted.command_id)
        messages.put(accepted.command_id)
        time.sleep(every)


def waits(connection: psycopg.Connection[Any], stream_id: str | None = None) -> bool:
    row = connection.execute(
        """
        SELECT EXISTS (
            SELECT FROM public.commands
            WHERE status = 'accepted' AND stream_id = coalesce(%s, stream_id)
        )
        """,
        (stream_id,),
    ).fetchone()
    return bool(row and row[0])


def seconds_of(
    connection: psycopg.Connection[Any], command_ids: Sequence[UUID]
) -> list[float]:
    """Return how long each took from accepted to finished."""
    rows = connection.execute(
        "SELECT extract(epoch FROM finished_at - accepted_at)::float"
        " FROM public.commands WHERE id = ANY (%s) ORDER BY 1",
        (list(command_ids),),
    )
    return [seconds for (seconds,) in rows]


def run_workers(
    url: str,
    connection: psycopg.Connection[Any],
    ids: Sequence[UUID],
    *,
    workers: int,
    others: float = 0,
    sent: list[UUID] | None = None,
) -> list[Work]:
    """
    Let processes drain what *ids* name, a message for each, and return what each did.

    *others* is how many seconds lie between two commands to other streams, whose ids
    are added to *sent*.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([work.__module__])
    messages: Queue[UUID | None] = context.Queue()
    done: Queue[Work] = context.Queue()
    for command_id in ids:
        messages.put(command_id)
    processes = [
        context.Process(target=work, args=(url, messages, done)) for _ in range(workers)
    ]
    for process in processes:
        process.start()
    if others and sent is not None:
        send_others(connection, messages, others, sent)
    while waits(connection):
        time.sleep(0.05)
    for _ in processes:
        messages.put(None)
    worked = [done.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    empty(messages)
    return worked


def measure(url: str, count: int, workers: int, others: float) -> None:
    sent: list[UUID] = []
    with connect(url) as connection:
        install(connection)
        ids = fill(connection, count)
        started = time.monotonic()
        # The messages of a queue that has grown for hours are long gone: a few are
        # left, and behind them come those of the other streams.
        worked = run_workers(
            url, connection, ids[:FEW], workers=workers, others=others, sent=sent
        )
        took = time.monotonic() - started
        waited = seconds_of(connection, sent)
    tell(count, took, worked, waited)


def empty(messages: "Queue[UUID | None]") -> None:
    # A process does not end while its queue has something in it.
    try:
        while True:
            messages.get_nowait()
    except queue.Empty:
        messages.cancel_join_thread()


def tell(
    count: int, took: float, worked: Sequence[Work], waited: Sequence[float]
) -> None:
    finished = sum(w.finished for w in worked)
    decided = sum(w.decided for w in worked)
    print(f"{count:,} commands for one stream, {len(worked)} workers: {took:.1f} s")
    print(f"decided / finished   {decided / max(finished, 1):.3f} ({decided:,})")
    growth = max(w.kilobytes - w.kilobytes_before for w in worked) / 1024
    print(f"memory of a worker   {growth:.1f} MB more than before, at its highest")
    if waited:
        late = waited[min(int(len(waited) * 0.99), len(waited) - 1)]
        print(
            f"{len(waited):,} commands to others  p50 {statistics.median(waited):.3f}"
            f" s, p99 {late:.3f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--others", type=float, default=0.1, help="seconds between two of them; 0: none"
    )
    asked = parser.parse_args()
    server = sa.make_url(database_url(os.environ["DATABASE_URL"]))
    name = f"bench_{uuid.uuid4().hex[:12]}"
    with connect(server.render_as_string(False)) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            url = server.set(database=name).render_as_string(False)
            measure(url, asked.commands, asked.workers, asked.others)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


if __name__ == "__main__":
    main()
