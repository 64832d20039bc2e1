"""Reading the log: every event once, in order, and never past what is settled."""

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest

from eventstore.errors import CannotProject
from eventstore.log.events import RecordedEvent
from eventstore.signals import CATCH_UP, clear_signal, send_signal
from eventstore.subscriptions.catch_up import CaughtUp, catch_up
from eventstore.subscriptions.lag import SubscriptionLag, find_standings
from eventstore.subscriptions.subscription import Subscription
from tests.support.engine import Engine

CLOCK = "counter-clock"


class Reader:
    """Somebody who writes down each position that he reads, in the log's database."""

    def __init__(self, engine: Engine, *, batch: int = 3) -> None:
        self.engine = engine
        self.batch = batch
        self.refuses: set[int] = set()
        self.types = ["Added"]
        self.batches: list[int] = []
        engine.connection.execute("CREATE TABLE seen (id bigint PRIMARY KEY)")
        engine.connection.execute("INSERT INTO subscriptions (name) VALUES ('reader')")

    def catch_up(self) -> CaughtUp:
        return catch_up(
            self.engine.connection,
            Subscription(
                name="reader", types=self.types, handler=self.read, batch=self.batch
            ),
        )

    def read(
        self, connection: psycopg.Connection[Any], events: Sequence[RecordedEvent]
    ) -> None:
        self.batches.append(len(events))
        for event in events:
            connection.execute("INSERT INTO seen VALUES (%s)", (event.position,))
        for event in events:
            if event.position in self.refuses:
                raise CannotProject(event.position, ValueError("half a clock"))

    @property
    def seen(self) -> list[int]:
        rows = self.engine.connection.execute("SELECT id FROM seen ORDER BY id")
        return [position for (position,) in rows]

    @property
    def standing(self) -> SubscriptionLag:
        (standing,) = find_standings(self.engine.connection)
        return standing


@pytest.fixture
def reader(engine: Engine) -> Reader:
    return Reader(engine)


def test_a_reader_catches_up_to_what_is_settled(reader: Reader) -> None:
    reader.engine.append(CLOCK, *range(8), expected=0)

    assert reader.catch_up() == CaughtUp(checkpoint=8, handled=8)


def test_a_reader_reads_every_event_once_over_several_batches(reader: Reader) -> None:
    reader.engine.append(CLOCK, *range(8), expected=0)
    reader.catch_up()

    assert (reader.seen, reader.batches) == ([1, 2, 3, 4, 5, 6, 7, 8], [3, 3, 2])


def test_a_reader_goes_on_where_it_was(reader: Reader) -> None:
    reader.engine.append(CLOCK, 1, 2, expected=0)
    reader.catch_up()
    reader.engine.append(CLOCK, 3, expected=2)

    assert reader.catch_up() == CaughtUp(checkpoint=3, handled=1)


def test_a_reader_with_nothing_to_read_is_not_asked(reader: Reader) -> None:
    reader.catch_up()

    assert reader.batches == []


def test_a_reader_does_not_pass_an_event_under_way(reader: Reader) -> None:
    slow = reader.engine.connect(autocommit=False)
    slow.execute(
        """
        INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
        VALUES ('counter-slow', 'Added', 1, '{}', '{}', now())
        """
    )
    reader.engine.append(CLOCK, 1, expected=0)
    reader.catch_up()
    slow.commit()
    reader.catch_up()

    assert reader.seen == [1, 2]


def test_positions_that_were_rolled_back_are_passed(reader: Reader) -> None:
    with reader.engine.connection.transaction(force_rollback=True):
        reader.engine.append(CLOCK, *range(5), expected=0)
    reader.engine.append(CLOCK, 1, expected=0)

    assert reader.catch_up() == CaughtUp(checkpoint=6, handled=1)


def test_a_reader_passes_events_that_are_not_for_it(reader: Reader) -> None:
    reader.types = ["Subtracted"]
    reader.engine.append(CLOCK, *range(8), expected=0)

    assert reader.catch_up() == CaughtUp(checkpoint=8, handled=0)


def test_a_reader_that_somebody_holds_is_passed_by(reader: Reader) -> None:
    reader.engine.append(CLOCK, 1, expected=0)
    somebody = reader.engine.connect(autocommit=False)
    somebody.execute("SELECT FROM subscriptions FOR UPDATE")

    assert reader.catch_up().is_held


def test_a_reader_that_was_never_made_reads_nothing(engine: Engine) -> None:
    nobody = Subscription(name="nobody", types=["Added"], handler=refuse_to_be_called)

    assert catch_up(engine.connection, nobody).handled == 0


def refuse_to_be_called(*_: object) -> None:
    raise AssertionError("nobody is called")


def test_what_a_reader_wrote_is_undone_with_its_checkpoint(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.engine.append(CLOCK, 1, 2, expected=0)

    def read_and_break(
        connection: psycopg.Connection[Any], events: Sequence[RecordedEvent]
    ) -> None:
        Reader.read(reader, connection, events)
        raise ZeroDivisionError

    monkeypatch.setattr(reader, "read", read_and_break)
    reached = reader.catch_up()

    assert (reached.checkpoint, reached.stopped_at) == (0, 1)
    assert (reader.seen, reader.standing.checkpoint) == ([], 0)


class TimeIsUp(Exception):
    """What a runner's time limit raises, wherever it is."""


def test_a_time_limit_is_no_events_fault(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.engine.append(CLOCK, 1, expected=0)

    def be_interrupted(*_: object) -> None:
        raise TimeIsUp

    subscription = Subscription(name="reader", types=None, handler=be_interrupted)
    with pytest.raises(TimeIsUp):
        catch_up(reader.engine.connection, subscription, interruptions=(TimeIsUp,))

    assert reader.standing.stopped_at_position is None


def test_a_reader_stops_right_before_what_it_cannot_read(reader: Reader) -> None:
    reader.engine.append(CLOCK, *range(8), expected=0)
    reader.refuses = {5}

    assert reader.catch_up() == CaughtUp(checkpoint=4, handled=4, stopped_at=5)


def test_all_before_an_event_that_cannot_be_read_is_read(reader: Reader) -> None:
    reader.engine.append(CLOCK, *range(8), expected=0)
    reader.refuses = {5}
    reader.catch_up()

    assert reader.seen == [1, 2, 3, 4]


def test_a_reader_stops_before_the_first_event_there_is(reader: Reader) -> None:
    reader.engine.append(CLOCK, 1, expected=0)
    reader.refuses = {1}

    assert reader.catch_up() == CaughtUp(checkpoint=0, handled=0, stopped_at=1)


def test_of_two_events_that_cannot_be_read_the_first_one_stops(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later one may be found first: events are decoded before they are folded."""
    reader.engine.append(CLOCK, 1, 2, 3, expected=0)

    def find_the_last_one_first(
        connection: psycopg.Connection[Any], events: Sequence[RecordedEvent]
    ) -> None:
        for event in reversed(events):
            if event.position in {2, 3}:
                raise CannotProject(event.position, ValueError("half a clock"))

    monkeypatch.setattr(reader, "read", find_the_last_one_first)

    assert reader.catch_up().stopped_at == 2


def test_a_reader_that_stopped_shows_where_and_why(reader: Reader) -> None:
    reader.engine.append(CLOCK, *range(8), expected=0)
    reader.refuses = {5}
    reader.catch_up()

    assert reader.standing == SubscriptionLag(
        name="reader",
        checkpoint=4,
        lag=4,
        stopped_at_position=5,
        error={
            "kind": "code",
            "error": "Cannot project the event at 5: ValueError: half a clock",
        },
    )


def test_a_reader_that_stopped_still_shows_it_after_trying_again(
    reader: Reader,
) -> None:
    reader.engine.append(CLOCK, *range(8), expected=0)
    reader.refuses = {5}
    reader.catch_up()
    reader.catch_up()

    assert reader.standing.stopped_at_position == 5


def test_a_reader_goes_on_when_it_is_mended(reader: Reader) -> None:
    reader.engine.append(CLOCK, *range(8), expected=0)
    reader.refuses = {5}
    reader.catch_up()
    reader.refuses = set()
    reader.catch_up()

    assert reader.seen == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_reader_that_is_mended_shows_no_error(reader: Reader) -> None:
    reader.engine.append(CLOCK, 1, expected=0)
    reader.refuses = {1}
    reader.catch_up()
    reader.refuses = set()
    reader.catch_up()

    assert reader.standing == SubscriptionLag(
        name="reader", checkpoint=1, lag=0, stopped_at_position=None, error=None
    )


def test_a_reader_that_has_not_looked_yet_lags(reader: Reader) -> None:
    reader.engine.append(CLOCK, 1, 2, expected=0)

    assert reader.standing.lag == 2


@pytest.fixture
def raise_signal(engine: Engine) -> Callable[[], bool]:
    """Raise the flag, and tell whether it was down."""

    def raise_it() -> bool:
        ((is_raised,),) = send_signal(engine.connection, CATCH_UP).fetchall()
        return is_raised

    return raise_it


def test_the_first_to_raise_a_signal_sends_it(raise_signal: Callable[[], bool]) -> None:
    assert raise_signal()


def test_a_signal_is_raised_once(raise_signal: Callable[[], bool]) -> None:
    raise_signal()

    assert not raise_signal()


def test_a_signal_that_was_taken_down_is_raised_again(
    engine: Engine, raise_signal: Callable[[], bool]
) -> None:
    raise_signal()
    clear_signal(engine.connection, CATCH_UP)

    assert raise_signal()


def test_settled_is_asked_at_read_committed_alone(engine: Engine) -> None:
    engine.connection.execute("SET default_transaction_isolation = 'repeatable read'")

    with pytest.raises(psycopg.Error):
        find_standings(engine.connection)
