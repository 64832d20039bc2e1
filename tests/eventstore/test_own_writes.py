"""Who has written asks by `min_position`, and is never shown rows without it."""

import pytest

from eventstore.sql import source
from tests.support.engine import Engine
from tests.support.own_writes import Ask, OwnWrites, read_then_wait, wait_then_read
from tests.support.shared_passes import folded, made, plain

pytestmark = pytest.mark.races


def race(engine: Engine, commands: int, ask: Ask = wait_then_read) -> OwnWrites:
    projection = plain("own", folded)
    [subscription] = made(engine, projection)
    done = OwnWrites(engine.url, projection, subscription, commands, ask).run()
    print(done.describe())
    return done


def change(engine: Engine, function: str, old: str, new: str) -> None:
    """Replace a piece of a function in this database."""
    wrong = source(function).replace(old, new, 1)
    assert wrong != source(function)
    engine.connection.execute(wrong.encode())


def believe_the_end_of_the_log(engine: Engine) -> None:
    """Have readers go up to the last id that was drawn, whoever is still writing."""
    change(engine, "settled", "RETURN least(drawn, smallest_floor);", "RETURN drawn;")


def believe_any_checkpoint(engine: Engine) -> None:
    change(
        engine,
        "checkpoint_fault",
        "BEGIN\n    IF place",
        "BEGIN RETURN NULL;\n    IF place",
    )


@pytest.mark.parametrize(
    "commands", [160, pytest.param(10_000, marks=pytest.mark.long)]
)
def test_nobody_is_told_that_it_is_there_without_his_own_event(
    engine: Engine, commands: int
) -> None:
    """Others append beside it, for up to 0.3 s, and a fifth of them rolls back."""
    done = race(engine, commands)

    assert done.missed == 0
    assert done.shown + done.rolled_back == commands
    assert done.rolled_back > commands / 10


def test_where_the_rows_are_read_before_the_checkpoint_own_events_are_missing(
    engine: Engine,
) -> None:
    """The negative control: what came in between counts as shown."""
    assert race(engine, 60, read_then_wait).missed > 0


def test_where_the_end_of_the_log_counts_as_settled_own_events_are_missing(
    engine: Engine,
) -> None:
    """
    The negative control: readers pass by what was drawn and is not committed.

    Checkpoints are not checked either: that stops a reader, in some runs only, at the
    event that has come to the place of its checkpoint since.
    """
    believe_the_end_of_the_log(engine)
    believe_any_checkpoint(engine)

    assert race(engine, 60).missed > 0
