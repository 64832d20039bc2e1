"""Racing: several writers at once, each on a store of its own of the same log."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from eventstore.errors import AlreadyClaimed, WrongExpectedVersion
from eventstore.log.append import ANY_VERSION, NO_STREAM
from eventstore.store import Store
from eventstore.testing.conformance.check import Check, Connect
from eventstore.testing.conformance.claiming import claim
from eventstore.testing.conformance.jars import BLUE, JARS, RED, amounts_in, coin

WRITERS = 4
ROUNDS = 10
SECONDS = 30


def at_once(connect: Connect, *work: Callable[[Store], Any]) -> list[Any]:
    """Start all of *work* at the same moment, each on a store of its own."""
    start = threading.Barrier(len(work))
    stores = [connect() for _ in work]

    def run(one: Callable[[Store], Any], store: Store) -> Any:
        start.wait(SECONDS)
        return one(store)

    with ThreadPoolExecutor(len(work)) as threads:
        return list(threads.map(run, work, stores, timeout=SECONDS))


def succeeds(
    error: type[Exception], do: Callable[..., object], *given: Any, **named: Any
) -> bool:
    """Return whether *do* does not raise the *error*."""
    try:
        do(*given, **named)
    except error:
        return False
    return True


@Check
def of_writers_on_the_same_version_one_wins(connect: Connect) -> None:
    def write(store: Store) -> list[int]:
        return [
            version
            for version in range(ROUNDS)
            if succeeds(
                WrongExpectedVersion,
                store.append,
                [(RED, coin())],
                expected={RED: version},
            )
        ]

    won = at_once(connect, *[write] * WRITERS)

    versions = sorted(version for versions in won for version in versions)
    assert versions == list(range(connect().version(RED)))


@Check
def of_writers_at_any_version_all_are_heard(connect: Connect) -> None:
    def write(store: Store) -> None:
        for amount in range(ROUNDS):
            store.append([(RED, coin(amount))], expected={RED: ANY_VERSION})

    at_once(connect, *[write] * WRITERS)

    store = connect()
    assert sorted(amounts_in(store, RED)) == sorted([*range(ROUNDS)] * WRITERS)
    versions = [event.version for event in store.read_stream(RED)]
    assert versions == list(range(1, WRITERS * ROUNDS + 1))


@Check
def of_two_that_each_read_the_others_stream_one_holds(connect: Connect) -> None:
    def decide_on(own: str, other: str) -> Callable[[Store], int]:
        def write(store: Store) -> int:
            return sum(
                succeeds(
                    WrongExpectedVersion,
                    store.append,
                    [(f"{own}{turn}", coin())],
                    expected={f"{own}{turn}": NO_STREAM, f"{other}{turn}": NO_STREAM},
                )
                for turn in range(ROUNDS)
            )

        return write

    held = at_once(connect, decide_on(RED, BLUE), decide_on(BLUE, RED))

    assert sum(held) == ROUNDS


@Check
def of_streams_that_claim_the_same_one_gets_it(connect: Connect) -> None:
    def claim_all(stream_id: str) -> Callable[[Store], int]:
        def write(store: Store) -> int:
            return sum(
                succeeds(
                    AlreadyClaimed,
                    store.append,
                    [(stream_id, coin())],
                    expected={stream_id: ANY_VERSION},
                    claims=[claim(stream_id, bytes([value]))],
                )
                for value in range(ROUNDS)
            )

        return write

    claimed = at_once(connect, *[claim_all(f"jar-{n}") for n in range(WRITERS)])

    assert sum(claimed) == ROUNDS


@Check
def a_reader_sees_an_append_as_a_whole(connect: Connect) -> None:
    done = threading.Event()

    def write(store: Store) -> None:
        try:
            for _ in range(ROUNDS):
                store.append(
                    [(RED, coin()), (BLUE, coin())],
                    expected={RED: ANY_VERSION, BLUE: ANY_VERSION},
                )
        finally:
            done.set()

    def read(store: Store) -> list[dict[str, int]]:
        seen = [store.load([RED, BLUE], JARS).versions]
        while not done.is_set():
            seen.append(store.load([RED, BLUE], JARS).versions)
        return seen

    _, seen = at_once(connect, write, read)

    assert [versions for versions in seen if versions[RED] != versions[BLUE]] == []


@Check
def a_reader_of_the_log_skips_no_event(connect: Connect) -> None:
    ended: list[int] = []

    def write(store: Store) -> None:
        try:
            for amount in range(ROUNDS):
                store.append([(RED, coin(amount))], expected={RED: ANY_VERSION})
        finally:
            ended.append(1)

    def read(store: Store) -> list[int]:
        seen: list[int] = []
        is_last = False
        while not is_last:
            # Once more after all have written.
            is_last = len(ended) == WRITERS
            after = seen[-1] if seen else 0
            seen += [event.position for event in store.read_all(after=after)]
        return seen

    *_, seen = at_once(connect, *[write] * WRITERS, read)

    assert seen == [event.position for event in connect().read_stream(RED)]
    assert len(seen) == WRITERS * ROUNDS
