"""What was asked for later: done in its time, and taken back by its sender alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tests.faults.checker.asked import KeyHistory
from tests.faults.checker.journal import Command
from tests.faults.checker.turns import fall_of_clock
from tests.faults.checker.verdict import Verdict

NOT_BEFORE = "what is for later does not take effect before its time"
TAKEN_BACK = "a command is cancelled if its sender was told so, and not otherwise"

AT_ONCE = timedelta(seconds=1)
"""So long before it is accepted it is looked whether its time has passed."""


def is_for_its_time(not_before: str, command: Command) -> bool:
    """
    Say whether the journal has the time that was asked for, if there was one.

    It has none where that time had passed when it was accepted.
    """
    if not not_before:
        return command.not_before is None
    asked = datetime.fromisoformat(not_before)
    if command.not_before is None:
        return asked < command.accepted_at + AT_ONCE
    return command.not_before == asked


def check_later(
    promised: Mapping[str, KeyHistory], journal: Mapping[str, Command], verdict: Verdict
) -> None:
    later = [command for command in journal.values() if command.not_before is not None]
    # What was due by a clock that was set back since stays due.
    fall = fall_of_clock(journal)
    early = (c.id for c in later if is_too_early(c, fall))
    verdict.note(NOT_BEFORE, len(later), early)
    mine = [c for c in journal.values() if not c.is_internal]
    wrong = (c.id for c in mine if not is_rightly_cancelled(c, promised.get(c.id)))
    verdict.note(TAKEN_BACK, len(mine), wrong)


def is_too_early(command: Command, fall: timedelta) -> bool:
    if command.finished_at is None or command.status == "cancelled":
        return False
    assert command.not_before is not None
    return command.finished_at + fall < command.not_before


def is_rightly_cancelled(command: Command, asked: KeyHistory | None) -> bool:
    """Say whether its status is what its sender was told; one may have no answer."""
    takings_back = asked.takings_back if asked else []
    if command.status == "cancelled":
        return any(a.status in (None, 200, 503) for a in takings_back)
    return all(attempt.status != 200 for attempt in takings_back)
