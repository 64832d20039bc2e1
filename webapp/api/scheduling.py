"""The time of a scheduled command, and its limits."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain.errors import Fault, InvalidInput
from domain.input import reader_of
from eventstore.ids import command_id_for
from eventstore.journal import entries
from webapp.command_input import ENVELOPE
from webapp.current_shop import LOCAL, the_shop

SCHEDULABLE = (*ENVELOPE, "not_before")

MAX_TIME_AHEAD = timedelta(days=3_660)
"""Ten years: a later time is most likely mistyped."""
SLACK = timedelta(minutes=5)
"""Clocks differ, and "now" is past when it arrives."""


def time_of(body: Mapping[str, Any], key: str, sender: str = LOCAL) -> datetime | None:
    """
    Return the time before which the command in *body* must not run, or None.

    Raises InvalidInput if it is no time, is past or beyond ten years; but not for a
    command that was accepted already, whose repetition gets the same answer.
    """
    written = body.get("not_before")
    if written is None:
        return None
    faults: list[Fault] = []
    moment = reader_of(datetime)(written, "not_before", faults)
    if not isinstance(moment, datetime):
        raise InvalidInput(faults)
    problem = problem_with(moment, time_of_database())
    if problem and not is_known(key, sender):
        raise InvalidInput([Fault("not_before", problem)])
    return moment.astimezone(UTC)


def time_of_database() -> datetime:
    """Return the time of the database's clock, which decides when a command is due."""
    with the_shop().engine.connect() as connection:
        told: datetime = connection.execute(
            sa.text("SELECT clock_timestamp()")
        ).scalar_one()
    return told.astimezone(UTC)


def problem_with(moment: datetime, now: datetime) -> str | None:
    if moment < now - SLACK:
        return f"lies in the past: it is {now:%Y-%m-%dT%H:%M:%SZ} here"
    if moment > now + MAX_TIME_AHEAD:
        return "lies more than ten years ahead"
    return None


def is_known(key: str, sender: str) -> bool:
    with the_shop().engine.connect() as connection:
        return entries.find(connection, command_id_for(sender, key)) is not None
