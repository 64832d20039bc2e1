"""Tests of read models and process managers in one line each, without a database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from eventstore.errors import CannotProject
from eventstore.projections.projection import Fact, Lookup, Projection, Update
from eventstore.subscriptions.process_manager import ProcessManager
from eventstore.testing.process_manager_specification import ProcessManagerSpecification
from eventstore.testing.projection_specification import ProjectionSpecification


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestSeated:
    guest: str
    table: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestLeft:
    guest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRenumbered:
    old: int
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearTable:
    table: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    guest: str
    table: int
    visits: int = 1
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    guest: str
    count: int


def fold(row: Guest | None, fact: Fact, looked_up: Any) -> Guest | None:
    match fact.event:
        case GuestSeated(guest=guest, table=table):
            visits = looked_up["visits"].count
            return Guest(
                guest=guest, table=table, visits=visits, since=fact.occurred_at
            )
        case _:
            return None


GUESTS = Projection(
    name="guests",
    row=Guest,
    key="guest",
    events=[GuestSeated, GuestLeft, TableRenumbered],
    key_of=lambda fact, _: getattr(fact.event, "guest", None),
    fold=fold,
    lookups=[
        Lookup(
            name="visits",
            row=Visits,
            key="guest",
            key_of=lambda fact: (
                fact.event.guest if isinstance(fact.event, GuestSeated) else None
            ),
            fold=lambda row, fact: Visits(
                guest=fact.event.guest, count=1 if row is None else row.count + 1
            ),
        )
    ],
    needs=lambda fact: (
        {"visits": fact.event.guest} if isinstance(fact.event, GuestSeated) else {}
    ),
    update=lambda fact: (
        Update(where={"table": fact.event.old}, to={"table": fact.event.new})
        if isinstance(fact.event, TableRenumbered)
        else None
    ),
)
NINE = datetime(2024, 5, 1, 9, tzinfo=UTC)
ADA = Guest(guest="Ada", table=7, since=NINE)

guests = ProjectionSpecification(GUESTS)


def test_events_give_rows_with_what_was_looked_up() -> None:
    seated = GuestSeated(guest="Ada", table=7)

    guests.given("hall-1", seated, at=NINE).then(ADA)
    guests.given("hall-1", seated, GuestLeft(guest="Ada"), seated, at=NINE).then(
        replace(ADA, visits=2)
    )


def test_a_row_can_go() -> None:
    guests.given(
        "hall-1", GuestSeated(guest="Ada", table=7), GuestLeft(guest="Ada")
    ).then_nothing()


def test_an_update_changes_all_rows_that_it_finds() -> None:
    guests.given(
        "hall-1",
        GuestSeated(guest="Ada", table=7),
        GuestSeated(guest="Ben", table=7),
        at=NINE,
    ).given("hall-2", TableRenumbered(old=7, new=8)).then(
        replace(ADA, table=8), replace(ADA, guest="Ben", table=8)
    )


def test_events_of_other_classes_are_passed_over() -> None:
    guests.given("hall-1", ClearTable(table=7)).then_nothing()


def test_rows_that_are_others_fail() -> None:
    with pytest.raises(AssertionError, match="expected"):
        guests.given("hall-1", GuestSeated(guest="Ada", table=7)).then_nothing()


def test_a_fold_that_depends_on_how_events_are_batched_fails() -> None:
    seen: list[int] = []

    def remember(row: Guest | None, fact: Fact, looked_up: Any) -> Guest:
        # The positions of one batch begin with it again.
        seen.append(fact.position)
        return Guest(guest="Ada", table=len(seen))

    forgetful = ProjectionSpecification(
        Projection(
            name="guests",
            row=Guest,
            key="guest",
            events=[GuestSeated],
            key_of=lambda *_: "Ada",
            fold=remember,
        )
    )
    with pytest.raises(AssertionError, match="expected"):
        forgetful.given("hall-1", GuestSeated(guest="Ada", table=7)).then(
            Guest(guest="Ada", table=1)
        )


def test_a_fold_that_raises_says_at_which_event() -> None:
    def fail(*_: Any) -> Guest:
        raise ZeroDivisionError("no table")

    broken = Projection(
        name="guests",
        row=Guest,
        key="guest",
        events=[GuestSeated],
        key_of=lambda *_: "Ada",
        fold=fail,
    )
    with pytest.raises(CannotProject, match="at 2: ZeroDivisionError: no table"):
        ProjectionSpecification(broken).given("hall-1", GuestLeft(guest="Ada")).given(
            "hall-1", GuestSeated(guest="Ada", table=7)
        ).rows()


def react(stream_id: str, event: object) -> Sequence[ClearTable]:
    assert isinstance(event, GuestLeft)
    return [ClearTable(table=int(stream_id.partition("-")[2]))]


cleaner = ProcessManagerSpecification(
    ProcessManager(name="cleaner", events=[GuestLeft], react=react)
)


def test_an_event_is_followed_by_commands() -> None:
    cleaner.when("hall-1", GuestLeft(guest="Ada")).then(ClearTable(table=1))


def test_a_process_manager_does_not_hear_of_other_events() -> None:
    cleaner.when("hall-1", GuestSeated(guest="Ada", table=7)).then_nothing()


def test_commands_that_are_others_fail() -> None:
    with pytest.raises(AssertionError, match=r"sent \[ClearTable\(table=1\)\]"):
        cleaner.when("hall-1", GuestLeft(guest="Ada")).then_nothing()
