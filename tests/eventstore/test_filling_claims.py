"""Streams that were written before they claimed anything get their claims."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from eventstore.aggregates.decider import Deciders
from eventstore.log.append import ANY_VERSION, NO_STREAM, append
from eventstore.rewriting.claims_backfill import BATCH, UnclaimedStream, fill_claims
from tests.support.claims import UniqueNames, claim
from tests.support.engine import Engine, added
from tests.support.members import MEMBER, UNIQUE_MEMBERS, Join, Rename

BEFORE = Deciders([MEMBER])


@pytest.fixture
def club(engine: Engine) -> UniqueNames:
    """The club, where Ann and Bob have joined before names were unique."""
    club = UniqueNames(engine, BEFORE)
    club.run(Join(member_id="1", name="Ann"))
    club.run(Join(member_id="2", name="Bob"))
    return UniqueNames(engine)


def fill(club: UniqueNames) -> list[UnclaimedStream]:
    filled = fill_claims(club.engine.connection, UNIQUE_MEMBERS, "member")
    return [unclaimed for batch in filled for unclaimed in batch]


def test_each_gets_what_its_state_has(club: UniqueNames) -> None:
    assert fill(club) == []
    assert club.owners() == {"Ann": "member-1", "Bob": "member-2"}


def test_of_two_with_the_same_the_earlier_one_gets_it(club: UniqueNames) -> None:
    UniqueNames(club.engine, BEFORE).run(Rename(member_id="1", name="Bob"))
    late = fill(club)

    assert [stream_id for stream_id, _ in late] == ["member-2"]
    assert club.owners() == {"Bob": "member-1"}


def test_of_two_in_different_batches_too(club: UniqueNames) -> None:
    old = UniqueNames(club.engine, BEFORE)
    old.handle(Join(member_id="early", name="Eve"))
    for number in range(BATCH):
        old.handle(Join(member_id=f"x{number}"))
    old.handle(Join(member_id="late", name="Eve"))

    assert [stream_id for stream_id, _ in fill(club)] == ["member-late"]
    assert club.owners()["Eve"] == "member-early"


def test_who_is_told_learns_neither_the_value_nor_whose_it_is(
    club: UniqueNames,
) -> None:
    UniqueNames(club.engine, BEFORE).run(Rename(member_id="1", name="Bob"))
    ((_, reason),) = fill(club)

    assert reason == "an earlier one has its member-name"


def test_who_came_too_late_goes_on_as_before(club: UniqueNames) -> None:
    UniqueNames(club.engine, BEFORE).run(Rename(member_id="1", name="Bob"))
    fill(club)

    assert club.run(Rename(member_id="2", name="Cid")) == ["succeeded"]
    assert club.owners() == {"Bob": "member-1", "Cid": "member-2"}


def test_filling_again_changes_nothing(club: UniqueNames) -> None:
    fill(club)

    assert fill(club) == []
    assert club.owners() == {"Ann": "member-1", "Bob": "member-2"}


def test_what_was_claimed_since_stays(club: UniqueNames) -> None:
    club.run(Join(member_id="3", name="Ann"))

    assert [stream_id for stream_id, _ in fill(club)] == ["member-1"]


def test_a_stream_that_cannot_be_read_is_told_and_holds_up_no_other(
    club: UniqueNames,
) -> None:
    append(
        club.engine.connection,
        [("member-3", added(1))],
        expected={"member-3": NO_STREAM},
    )

    assert [stream_id for stream_id, _ in fill(club)] == ["member-3"]
    assert club.owners() == {"Ann": "member-1", "Bob": "member-2"}


def test_who_writes_meanwhile_leaves_no_claim_that_is_not_its(
    club: UniqueNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob becomes Cid between the look at his state and the claim of it."""
    other = club.engine.connect()
    renamed = replace(
        added(0), type="Renamed", data=msgspec.json.encode({"name": "Cid"}).decode()
    )
    connection = club.engine.connection
    execute = connection.execute
    events = iter([renamed])

    def be_slow(query: str, *arguments: Any) -> Any:
        if "public.append" in query:
            for event in events:
                append(
                    other,
                    [("member-2", event)],
                    expected={"member-2": ANY_VERSION},
                    claims=[claim("Cid", "member-2")],
                )
        return execute(query, *arguments)

    monkeypatch.setattr(connection, "execute", be_slow)
    fill(club)

    assert club.owners() == {"Ann": "member-1", "Cid": "member-2"}
