"""The journal as JSON: the list of the caller's commands, and cancelling them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from domain.characters import problem_with
from domain.errors import Fault, InvalidInput
from domain.input import unknown_name
from eventstore.journal import entries, operator_actions
from eventstore.journal.entries import Entry
from eventstore.journal.listing import DISPLAY_STATUSES, CommandFilter, find_entries
from webapp.api.commands import entry_as_json, row_as_json
from webapp.api.queries import limit_asked, next_page
from webapp.authorization import caller, require_command
from webapp.command_input import one_fault
from webapp.current_shop import the_shop
from webapp.journal_source import ask_journal
from webapp.json_body import json_of
from webapp.problems import Problem
from webapp.query_parameters import one_of, only, text

OF_COMMANDS = ("status", "type", "after", "limit")
MAX_REASON_LENGTH = 500

routes = Blueprint("journal", __name__, url_prefix="/api")


@routes.get("/commands")
def commands() -> ResponseReturnValue:
    only(*OF_COMMANDS)
    wanted = CommandFilter(
        status=one_of("status", DISPLAY_STATUSES),
        type=one_of("type", sorted(the_shop().commands)),
        principal=caller().name,
    )
    limit, after = limit_asked(), text("after")
    listed = ask_journal(lambda c: find_entries(c, wanted, after=after, limit=limit))
    return {
        "commands": [row_as_json(entry) for entry in listed.entries],
        "next": listed.following and next_page(listed.following),
    }


@routes.post("/commands/<uuid:command_id>/cancel")
def cancel(command_id: UUID) -> ResponseReturnValue:
    """
    Cancel a scheduled command. A repeated request has the same answer.

    It needs the permission to send such a command: a token for reading cannot cancel,
    though it belongs to the command's sender.
    """
    because = reason_in(json_of(request))
    entry = find_entry(command_id)
    if entry is None or entry.principal != caller().name:
        raise Problem("not-found", f"There is no command {command_id}.")
    require_command(entry.type)
    with the_shop().lent() as connection:
        acted = operator_actions.cancel(
            connection,
            command_id,
            by=caller().name,
            because=because,
            principal=caller().name,
        )
    entry = find_entry(command_id)
    # If it is gone, it was pruned meanwhile.
    if acted is None or entry is None:
        raise Problem("not-found", f"There is no command {command_id}.")
    if acted.status != "cancelled":
        is_due = acted.status == "accepted"
        detail = "Its time has come." if is_due else f"It is {acted.status}."
        raise Problem("too-late", detail, command_status=acted.status)
    return entry_as_json(entry, [])


def find_entry(command_id: UUID) -> Entry | None:
    with the_shop().autocommitting.connect() as connection:
        return entries.find(connection, command_id)


def reason_in(body: Any) -> str:
    """Return the reason in *body*: `{"because": …}`, or "" for an empty object."""
    if not isinstance(body, Mapping):
        one_fault("body", 'must be an object like {"because": …}')
    unknown = next((name for name in body if name != "because"), None)
    if unknown is not None:
        raise InvalidInput([Fault(unknown, unknown_name(unknown, ["because"]))])
    because = body.get("because", "")
    if not isinstance(because, str) or len(because) > MAX_REASON_LENGTH:
        one_fault(
            "because", f"must be a text of at most {MAX_REASON_LENGTH} characters"
        )
    problem = because and problem_with(because, has_lines=True)
    if problem:
        one_fault("because", problem)
    return because
