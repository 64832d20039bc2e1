"""A checkpoint that is not in the log is refused: no event is passed over."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
import pytest

from eventstore.database.doctor import check_checkpoints
from eventstore.errors import CheckpointNotInLog
from eventstore.log.events import RecordedEvent
from eventstore.projections.freshness import wait_for
from eventstore.projections.generations import ensure_generation
from eventstore.projections.project import subscription_of
from eventstore.rebuilding.rebuild import rebuild
from eventstore.seals.seals import seal_log
from eventstore.subscriptions.catch_up import CaughtUp, catch_up
from eventstore.subscriptions.checkpoint_repair import (
    CheckpointRepair,
    repair_checkpoint,
)
from eventstore.subscriptions.lag import SubscriptionLag, find_standings
from eventstore.subscriptions.process_manager import (
    ProcessManager,
    ProcessManagerRun,
    begin_acting,
)
from eventstore.subscriptions.subscription import Subscription
from tests.support.engine import COUNTERS, SECRET, Add, Added, Engine
from tests.support.totals import totals

CLOCK = "counter-clock"
MANAGER = "process:follower"


def follow(stream_id: str, event: Added) -> Iterable[Add]:
    if stream_id == CLOCK:
        yield Add(counter_id="lamp", amount=event.amount)


class World:
    """A log with all that follows it: rows, a process manager, and what was read."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.read: list[int] = []
        ensure_generation(engine.pool, totals)
        process = ProcessManager(name="follower", events=[Added], react=follow)
        begin_acting(engine.connection, process)
        engine.connection.execute("INSERT INTO subscriptions (name) VALUES ('reader')")
        self.subscriptions = {
            "totals_g1": subscription_of(totals, 1),
            MANAGER: ProcessManagerRun(process, COUNTERS, SECRET).subscription,
            "reader": Subscription(name="reader", types=None, handler=self.note),
        }

    def note(
        self, connection: psycopg.Connection[Any], events: Sequence[RecordedEvent]
    ) -> None:
        self.read += [event.position for event in events]

    def append(self, *amounts: int) -> None:
        expected = len(self.engine.stream(CLOCK))
        self.engine.append(CLOCK, *amounts, expected=expected)

    def catch_up(self) -> dict[str, CaughtUp]:
        return {
            name: catch_up(self.engine.connection, subscription)
            for name, subscription in self.subscriptions.items()
        }

    def slip(self, to: str, name: str | None = None, *, acted: bool = False) -> None:
        """Set checkpoints by hand, past the trigger, as somebody in psql does."""
        with self.engine.connection.transaction():
            if acted:
                self.engine.connection.execute(
                    f"UPDATE process_managers SET acted_up_to = {to}".encode()
                )
                return
            self.engine.connection.execute(
                "SET LOCAL session_replication_role = replica"
            )
            self.engine.connection.execute(
                f"UPDATE subscriptions SET checkpoint = {to}"
                " WHERE name = coalesce(%s, name)".encode(),
                (name,),
            )

    def restore(self) -> None:
        """Put the log where it was after its first event, and nothing else."""
        self.engine.connection.execute(
            """
            ALTER TABLE events DISABLE TRIGGER events_refuse_change;
            DELETE FROM events WHERE id > 1;
            ALTER TABLE events ENABLE ALWAYS TRIGGER events_refuse_change;
            SELECT setval('events_id_seq', 1);
            """
        )

    def repair(self, name: str, after: int | None = None) -> CheckpointRepair | None:
        return repair_checkpoint(
            self.engine.connection, name, by="ada", because="a slip", after=after
        )

    @property
    def standings(self) -> dict[str, SubscriptionLag]:
        return {s.name: s for s in find_standings(self.engine.connection)}

    @property
    def total(self) -> int:
        rows = self.engine.connection.execute("SELECT total FROM readmodels.totals")
        ((total,),) = rows.fetchall()
        return int(total)

    @property
    def sent(self) -> list[int]:
        """Return what the process manager has sent commands for."""
        rows = self.engine.connection.execute(
            "SELECT (data ->> 'amount')::int FROM commands ORDER BY seq"
        )
        return [amount for (amount,) in rows]


@pytest.fixture
def world(engine: Engine) -> World:
    """Three events, which all have read."""
    world = World(engine)
    world.append(1, 2, 3)
    world.catch_up()
    return world


AHEAD = ["checkpoint + 1", "(SELECT max(id) + 300 FROM events)"]
ELSEWHERE = ["5", "2", "0"]
READERS = ["totals_g1", MANAGER, "reader"]


@pytest.mark.parametrize("to", AHEAD)
@pytest.mark.parametrize("name", READERS)
def test_a_checkpoint_ahead_of_the_log_is_told_at_once(
    world: World, name: str, to: str
) -> None:
    """Before anybody reads, and though nothing new comes in."""
    world.slip(to, name)
    still = world.standings[name].standstill
    (ailment,) = check_checkpoints(world.engine.connection)

    assert still is not None
    assert still.because == "checkpoint"
    assert ailment.what.startswith(f"{name} stands at ")


@pytest.mark.parametrize("to", [*AHEAD, *ELSEWHERE])
@pytest.mark.parametrize("name", READERS)
def test_who_stands_at_another_place_reads_nothing(
    world: World, name: str, to: str
) -> None:
    """Be it ahead, or below the head where it passes over some or has them again."""
    world.append(4, 5, 6)
    world.slip(to, name)
    before = (len(world.read), world.sent)
    reached = catch_up(world.engine.connection, world.subscriptions[name])

    assert isinstance(reached.error, CheckpointNotInLog)
    assert reached.handled == 0
    assert (len(world.read), world.sent) == before


@pytest.mark.parametrize("to", [*AHEAD, *ELSEWHERE])
def test_after_it_is_repaired_each_event_is_read_once(world: World, to: str) -> None:
    world.slip(to)
    world.append(4, 5, 6)
    world.catch_up()
    for name in READERS:
        world.repair(name)
    world.catch_up()

    assert world.read == [1, 2, 3, 4, 5, 6]
    assert world.total == 21
    assert world.sent == [1, 2, 3, 4, 5, 6]
    assert all(s.standstill is None for s in world.standings.values())


def test_a_checkpoint_that_the_log_overtakes_is_refused_still(world: World) -> None:
    """It is not ahead any more by then: the event below it gives it away."""
    world.slip("checkpoint + 2")
    world.append(4, 5, 6, 7)

    assert all(reached.error is not None for reached in world.catch_up().values())


def test_a_slip_to_what_is_under_way_is_found_when_that_is_there(
    world: World, engine: Engine
) -> None:
    slow = engine.connect(autocommit=False)
    slow.execute(
        """
        INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
        VALUES ('counter-slow', 'Added', 1, '{"amount": 8}', '{}', now())
        """
    )
    world.slip("4", "reader")
    reached = catch_up(engine.connection, world.subscriptions["reader"])
    slow.commit()
    later = catch_up(engine.connection, world.subscriptions["reader"])

    assert (reached.handled, later.handled) == (0, 0)
    assert isinstance(later.error, CheckpointNotInLog)


def test_a_place_without_events_between_is_no_fault(world: World) -> None:
    """Nothing is passed over, so nothing is told."""
    with world.engine.connection.transaction(force_rollback=True):
        world.append(9, 9)
    world.slip("checkpoint + 2")
    world.append(4)

    assert all(reached.error is None for reached in world.catch_up().values())
    assert world.read == [1, 2, 3, 6]


@pytest.fixture
def restored(world: World) -> World:
    """The log has other events now at the ids that come again."""
    world.restore()
    world.append(7, 8, 9)
    return world


def test_a_log_that_was_restored_to_before_is_refused(world: World) -> None:
    world.restore()
    ahead = world.catch_up()
    world.append(7, 8, 9)
    overtaken = world.catch_up()

    for reached in (*ahead.values(), *overtaken.values()):
        assert isinstance(reached.error, CheckpointNotInLog)


def test_where_the_event_is_gone_the_rows_are_for_a_rebuild(restored: World) -> None:
    refused = restored.repair("totals_g1")
    rebuild(restored.engine.connection, totals)

    assert refused is not None
    assert refused.moved_to is None
    assert restored.total == 1 + 7 + 8 + 9


def test_where_the_event_is_gone_a_process_manager_asks_the_journal(
    restored: World,
) -> None:
    """What it sent for the first event is there; what followed the others is not."""
    connection = restored.engine.connection
    connection.execute("DELETE FROM commands WHERE (data ->> 'amount')::int > 1")
    repaired = restored.repair(MANAGER)
    catch_up(connection, restored.subscriptions[MANAGER])

    assert repaired == CheckpointRepair("other", 3, 1)
    assert restored.sent == [1, 7, 8, 9]


def test_where_nobody_knows_an_operator_says_what_was_acted_on(restored: World) -> None:
    """Pruning took away what tells it: to act again on what it acted on is worse."""
    connection = restored.engine.connection
    connection.execute(
        """
        INSERT INTO prunings (finished_before, after_seq, acted_by, because)
        VALUES (now(), 0, 'ada', 'space')
        """
    )
    connection.execute("DELETE FROM commands")
    refused = restored.repair(MANAGER)
    repaired = restored.repair(MANAGER, after=2)
    catch_up(connection, restored.subscriptions[MANAGER])

    assert refused == CheckpointRepair("other", 3, None)
    assert repaired == CheckpointRepair("other", 3, 2)
    assert restored.sent == [8, 9]


@pytest.mark.parametrize("to", ["acted_up_to + 1", "300"])
def test_what_was_acted_on_must_be_in_the_log_too(world: World, to: str) -> None:
    """Else events are passed over as acted on, with a checkpoint that is right."""
    world.slip(to, acted=True)
    still = world.standings[MANAGER].standstill
    world.append(4, 5)
    refused = world.catch_up()[MANAGER]
    world.repair(MANAGER)
    world.catch_up()

    assert still is not None
    assert still.because == "checkpoint"
    assert isinstance(refused.error, CheckpointNotInLog)
    assert world.sent == [1, 2, 3, 4, 5]


def test_what_is_right_is_not_repaired(world: World) -> None:
    assert world.repair("reader") == CheckpointRepair(None, 3, None)
    assert world.repair("nobody") is None


def test_an_error_is_gone_when_its_cause_is(world: World) -> None:
    world.slip("checkpoint + 1", "reader")
    world.catch_up()
    noted = world.standings["reader"].error
    world.slip("checkpoint - 1", "reader")
    world.catch_up()

    assert noted is not None
    assert noted["kind"] == "checkpoint"
    assert world.standings["reader"].error is None


def test_rows_of_another_place_are_behind_whatever_was_asked(world: World) -> None:
    world.slip("checkpoint + 300", "totals_g1")
    position = wait_for(world.engine.connection, totals, 0, seconds=0)

    assert position.behind > 0
    assert position.standstill is not None
    assert position.standstill.because == "checkpoint"


def test_a_version_before_that_moves_a_checkpoint_notes_no_event(
    world: World,
) -> None:
    """Its workers may run on while this version's begin."""
    world.append(4)
    world.engine.connection.execute(
        """
        UPDATE subscriptions
        SET checkpoint = 4, moved_at = clock_timestamp(),
            stopped_at_position = NULL, error = NULL
        WHERE name = 'reader'
        """
    )
    world.append(5)

    assert world.catch_up()["reader"] == CaughtUp(checkpoint=5, handled=1)


def test_seals_of_another_log_are_told_and_not_gone_on_from(world: World) -> None:
    connection = world.engine.connection
    seal_log(connection)
    world.restore()
    ahead = seal_log(connection)
    world.append(7, 8, 9)
    overtaken = seal_log(connection)

    assert isinstance(ahead.error, CheckpointNotInLog)
    assert isinstance(overtaken.error, CheckpointNotInLog)
    still = world.standings["seals"].standstill
    assert still is not None
    assert still.because == "checkpoint"
