"""`POST /api/commands/try`: what a command would cause, as JSON; nothing is sent."""

from collections.abc import Mapping
from typing import Any

import msgspec
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from eventstore.encryption.personal_fields import personal_fields
from eventstore.journal.preview import PreviewedEvent
from eventstore.log.codec import schema_of
from eventstore.subscriptions.follow_ups import PreviewedCommand
from tasks.shop.permissions import PERSONAL
from tasks.shop.published_events import masked
from webapp.api.commands import error_as_json
from webapp.api.scheduling import SCHEDULABLE, time_of
from webapp.authorization import ROUTES, caller, require_command
from webapp.command_input import command_from, confirmed_in, envelope, version_asked
from webapp.current_shop import the_shop
from webapp.json_body import json_of
from webapp.json_values import as_json
from webapp.problems import Problem
from webapp.trying.asking import CannotTell, TrialResult, try_command

OF_ROWS: Mapping[str, str] = {
    "order": ROUTES["queries.order"],
    "customer": ROUTES["queries.customer"],
    "product": ROUTES["queries.all_products"],
    "account": ROUTES["queries.account"],
    "transfer": ROUTES["queries.transfer"],
}
"""By category, the permission to read the row of a stream."""

routes = Blueprint("trying", __name__, url_prefix="/api")


@routes.post("/commands/try")
def one() -> ResponseReturnValue:
    shop = the_shop()
    body: Any = json_of(request)
    name, data, version = envelope(shop, body, SCHEDULABLE)
    # Of a later time nothing is known: it is decided as of now.
    time_of(body, "", caller().name)
    expected = version_asked(request.headers.get("If-Match"), version)
    require_command(name)
    command = command_from(shop, name, data, confirmed=confirmed_in(body))
    try:
        tried = try_command(
            shop, command, principal=caller().name, expected_version=expected
        )
    except CannotTell as error:
        raise Problem("undecidable") from error
    return answer(name, tried)


def answer(name: str, tried: TrialResult) -> dict[str, Any]:
    """Return what the caller may know of what a command called *name* would cause."""
    preview = tried.preview
    return {
        "type": name,
        "status": preview.outcome.status,
        "error": error_as_json(preview.outcome.status, preview.outcome.error),
        "stream_id": None if preview.gets_number else preview.stream_id,
        "version": preview.version,
        "waiting": preview.waiting,
        "events": [event_as_json(event) for event in preview.events],
        "row": row_as_json(tried),
        "follows": [follow_up_as_json(one) for one in tried.follows],
    }


def event_as_json(event: PreviewedEvent) -> dict[str, Any]:
    """Return an event; what it says only to who may read events."""
    fact, recorded = event
    told = {
        "type": recorded.type,
        "schema": schema_of(fact),
        "version": recorded.version,
    }
    if "events.read" not in caller().permissions:
        return told
    kind: type = type(fact)
    sees_all = PERSONAL in caller().permissions or not personal_fields(kind)
    return {**told, "data": msgspec.to_builtins(fact) if sees_all else masked(fact)}


def row_as_json(tried: TrialResult) -> dict[str, Any] | None:
    """Return the row before and after; None if the caller may not read it."""
    row = tried.row
    if row is None or OF_ROWS[tried.category] not in caller().permissions:
        return None
    return {
        "read_model": tried.projection.name,
        "is_old": row.is_old,
        "before": shown(tried, row.before),
        "after": shown(tried, row.after),
        "changed": list(tried.changed()),
    }


def shown(tried: TrialResult, row: Any) -> dict[str, Any] | None:
    if row is None:
        return None
    found = {name: as_json(getattr(row, name)) for name in tried.columns}
    if tried.preview.gets_number:
        found[tried.projection.key] = None
    return found


def follow_up_as_json(sent: PreviewedCommand) -> dict[str, Any]:
    """Return a command that would follow; whose it is only to who may read commands."""
    may_read = "commands.read" in caller().permissions
    return {
        "type": type(sent.command).__name__,
        "process": sent.process,
        "not_before": as_json(sent.not_before),
        "stream_id": sent.stream_id if may_read else None,
    }
