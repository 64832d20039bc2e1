"""Commands that claim: one whose claim is another's is rejected, and no other."""

from typing import Any

import psycopg
import pytest

from eventstore.aggregates.command_handler import Outcome
from eventstore.journal.runner import Limits
from tests.support.claims import UniqueNames, claim, statements
from tests.support.engine import Engine
from tests.support.journal import appends, error_of, kinds
from tests.support.members import (
    UNIQUE_MEMBERS,
    Join,
    NameTaken,
    Rename,
    Renamed,
    unique_members,
)


@pytest.fixture
def club(engine: Engine) -> UniqueNames:
    return UniqueNames(engine)


def test_a_command_claims_what_its_state_then_has(club: UniqueNames) -> None:
    club.run(Join(member_id="1", name="Ann"))

    assert club.owners() == {"Ann": "member-1"}


def test_a_command_that_claims_what_is_anothers_is_rejected(club: UniqueNames) -> None:
    club.run(Join(member_id="1", name="Ann"))

    assert club.run(Join(member_id="2", name="Ann")) == ["rejected"]


def test_the_rejection_is_the_one_that_the_claim_names(club: UniqueNames) -> None:
    club.run(Join(member_id="1", name="Ann"))
    (command_id,) = club.accept(Join(member_id="2", name="Ann"))
    club.engine.drain(command_id, deciders=UNIQUE_MEMBERS)

    assert error_of(club.engine, command_id) == {
        "rule": "NameTaken",
        "message": "Another member has that name.",
        "figures": {},
    }


def test_those_drained_with_it_are_decided_again_without_it(club: UniqueNames) -> None:
    club.run(Join(member_id="1", name="Ann"))

    assert club.run(
        Join(member_id="2", name="Bob"),
        Rename(member_id="2", name="Ann"),
        Rename(member_id="2", name="Cid"),
        Join(member_id="2"),
    ) == ["succeeded", "rejected", "succeeded", "rejected"]


def test_what_follows_a_rejected_claim_is_decided_without_its_events(
    club: UniqueNames,
) -> None:
    """The second joins only since the first did not."""
    club.run(Join(member_id="1", name="Ann"))

    assert club.run(
        Join(member_id="2", name="Ann"), Join(member_id="2", name="Bob")
    ) == ["rejected", "succeeded"]


def test_a_value_that_is_given_up_can_be_had_by_another(club: UniqueNames) -> None:
    club.run(Join(member_id="1", name="Ann"), Rename(member_id="1", name="Bob"))
    club.run(Join(member_id="2", name="Ann"))

    assert club.owners() == {"Ann": "member-2", "Bob": "member-1"}


def test_a_state_without_a_value_claims_nothing(club: UniqueNames) -> None:
    club.run(Join(member_id="1", name="Ann"), Rename(member_id="1", name=None))

    assert club.owners() == {}


def test_a_value_that_is_given_up_and_taken_back_stays(club: UniqueNames) -> None:
    club.run(
        Join(member_id="1", name="Ann"),
        Rename(member_id="1", name="Bob"),
        Rename(member_id="1", name="Ann"),
    )

    assert club.owners() == {"Ann": "member-1"}


def test_a_value_claimed_in_passing_is_refused_too(club: UniqueNames) -> None:
    """It is another's all the time, also for a command that the next one undoes."""
    club.run(Join(member_id="1", name="Ann"))

    assert club.run(
        Join(member_id="2", name="Ann"), Rename(member_id="2", name="Bob")
    ) == ["rejected", "rejected"]


def joined_by_others(connection: psycopg.Connection[Any], *names: str) -> None:
    """Let somebody else have these names."""
    claims = [claim(name, "member-other")[:3] for name in names]
    connection.cursor().executemany(
        "INSERT INTO unique_claims VALUES (%s, %s, %s)", claims
    )


def test_fifty_clashes_among_a_hundred_take_two_appends(club: UniqueNames) -> None:
    names = [f"name {number}" for number in range(100)]
    joined_by_others(club.engine.connection, *names[::2])
    commands = [Rename(member_id="2", name=name) for name in names]
    club.run(Join(member_id="2"))
    ids = club.accept(*commands)
    sent = statements(club.engine.connection)
    club.engine.drain(ids[0], deciders=UNIQUE_MEMBERS)

    assert club.engine.statuses(*ids) == ["rejected", "succeeded"] * 50
    assert appends(club.engine, ids) == 1
    # Take, refused append, one look at what others have, append.
    assert len(sent) == 4


def test_a_chain_of_clashes_takes_few_round_trips(club: UniqueNames) -> None:
    """Each of them is decided on what those before it leave: nothing."""
    names = [f"name {number}" for number in range(99)]
    joined_by_others(club.engine.connection, *names)
    commands = [Join(member_id="2", name=name) for name in [*names, "Ann"]]
    ids = club.accept(*commands)
    sent = statements(club.engine.connection)
    club.engine.drain(ids[0], deciders=UNIQUE_MEMBERS)

    assert club.engine.statuses(*ids) == [*["rejected"] * 99, "succeeded"]
    assert len(sent) == 4


def test_without_a_clash_claims_cost_no_round_trip(club: UniqueNames) -> None:
    ids = club.accept(Join(member_id="1", name="Ann"))
    sent = statements(club.engine.connection)
    club.engine.drain(ids[0], deciders=UNIQUE_MEMBERS)

    assert len(sent) == 2


def test_a_clash_is_no_lost_race(club: UniqueNames) -> None:
    club.run(Join(member_id="1", name="Ann"))
    (command_id,) = club.accept(Join(member_id="2", name="Ann"))
    club.engine.drain(command_id, deciders=UNIQUE_MEMBERS)

    assert kinds(club.engine, command_id) == []


def test_who_is_always_too_late_rests_as_after_lost_races(
    club: UniqueNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is free when it is asked for, somebody has when it is appended."""
    other, connection = club.engine.connect(), club.engine.connection
    execute = connection.execute
    names = [f"name {number}" for number in range(100)]
    tried, taken = iter(names), iter(names)

    def decide_anew(*_: object) -> list[Renamed]:
        return [Renamed(name=next(tried))]

    def be_faster(query: str, *arguments: Any) -> Any:
        if "finish" in query:
            joined_by_others(other, next(taken))
        return execute(query, *arguments)

    monkeypatch.setattr(connection, "execute", be_faster)
    (command_id,) = club.accept(Join(member_id="2"))
    club.engine.drain(
        command_id,
        deciders=unique_members(decide_anew),
        limits=Limits(max_conflict_retries=2),
    )

    assert club.engine.statuses(command_id) == ["accepted"]
    assert kinds(club.engine, command_id) == ["conflict", "conflict"]


def test_a_command_that_is_handled_at_once_claims_too(club: UniqueNames) -> None:
    assert club.handle(Join(member_id="1", name="Ann")) == Outcome(status="succeeded")
    assert club.owners() == {"Ann": "member-1"}


def test_a_command_that_is_handled_at_once_is_rejected_too(club: UniqueNames) -> None:
    club.handle(Join(member_id="1", name="Ann"))
    outcome = club.handle(Join(member_id="2", name="Ann"))

    assert outcome.error is not None
    assert (outcome.status, outcome.error["rule"]) == ("rejected", NameTaken.__name__)


def test_claims_without_a_secret_are_refused(club: UniqueNames) -> None:
    with pytest.raises(ValueError, match="empty"):
        UNIQUE_MEMBERS.keyed(b"")
