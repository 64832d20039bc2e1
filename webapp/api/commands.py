"""Commands as JSON: accepting one with an Idempotency-Key, and reading its status."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from eventstore.journal import entries
from eventstore.journal.entries import CausedEvent, Entry
from readmodels.stores.hot import final_commands
from readmodels.stores.hot.final_commands import FinalCommand
from tasks.accept import accept
from webapp.answering_store import note_store
from webapp.api import batch
from webapp.api.batch import Line
from webapp.api.scheduling import SCHEDULABLE, time_of
from webapp.authorization import caller, may_see_commands_of, require_command
from webapp.command_input import (
    command_from,
    confirmed_in,
    envelope,
    usable_key,
    version_asked,
)
from webapp.current_shop import the_shop
from webapp.date_checks import knows
from webapp.journal_source import find_command, no_command
from webapp.json_body import body_of, json_of
from webapp.outages import DATABASE_ERRORS, is_outage
from webapp.problems import Problem
from webapp.query_parameters import only

ROWS = {
    "order": ("queries.order", "order_id"),
    "customer": ("queries.customer", "customer_id"),
    "account": ("queries.account", "account_id"),
    "transfer": ("queries.transfer", "transfer_id"),
    "product": ("queries.product", "product_id"),
}
"""By category, the endpoint of a stream's row, and its parameter."""

routes = Blueprint("api", __name__, url_prefix="/api")

NEWLINE_DELIMITED = ("application/x-ndjson", "application/jsonl", "application/ndjson")
HALF_WAY = (
    "Some lines are accepted already. Send the whole batch again, with the same keys: "
    "each takes effect once."
)
TOO_MANY_REFUSED = (
    "So many lines are wrong that those behind the last one told were not looked at."
    " Mend them and send the whole batch again, with the same keys: what is accepted"
    " already takes effect once."
)
BATCH_TYPES = (
    "Send a command a line, with Content-Type: application/x-ndjson, or an array of "
    "them with application/json."
)


@routes.post("/commands")
def post_command() -> ResponseReturnValue:
    key = usable_key(request.headers.get("Idempotency-Key"))
    shop = the_shop()
    body: Any = json_of(request)
    name, data, version = envelope(shop, body, SCHEDULABLE)
    not_before = time_of(body, key, caller().name) if "not_before" in body else None
    expected = version_asked(request.headers.get("If-Match"), version)
    require_command(name)
    sent_before = knows(shop, key, caller().name)
    command = command_from(
        shop, name, data, confirmed=confirmed_in(body), is_known=sent_before
    )
    accepted = accept(
        shop,
        command,
        key=key,
        principal=caller().name,
        expected_version=expected,
        not_before=not_before,
    )
    is_plain = accepted.is_new and not_before is None
    status = "accepted" if is_plain else status_of(accepted.command_id)
    address = url_for("api.command", command_id=accepted.command_id)
    answer = {
        "id": str(accepted.command_id),
        "type": name,
        "status": status,
        "links": {"self": address},
    }
    if not_before is not None:
        answer["not_before"] = not_before.isoformat()
    if status == entries.SCHEDULED:
        cancelling = url_for("journal.cancel", command_id=accepted.command_id)
        answer["links"] = {"self": address, "cancel": cancelling}
    return answer, 202, {"Location": address}


@routes.post("/commands/batch")
def post_batch() -> ResponseReturnValue:
    key = request.headers.get("Idempotency-Key")
    lines = iter(lines_sent())
    told = batch.accept_batch(
        the_shop(),
        lines,
        principal=caller().name,
        key=None if key is None else usable_key(key),
        require=require_command,
    )
    answers, accepted, refused = batch.render_answers(or_unknown(told))
    body = f'{{"accepted":{accepted},"refused":{refused},"lines":{answers}'
    if left := sum(1 for _ in lines):
        body += f',"not_looked_at":{left},"detail":{json.dumps(TOO_MANY_REFUSED)}'
    body += "}\n"
    # A 202 is a promise: if no command was accepted, the status is another.
    return Response(body, 202 if accepted else 422, content_type="application/json")


def or_unknown(told: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield *told*. Raises `outcome-unknown` if an outage follows a promise."""
    is_promised = False
    try:
        for line in told:
            is_promised |= line["status"] != "refused"
            yield line
    except DATABASE_ERRORS as error:
        if is_promised and is_outage(error):
            raise Problem("outcome-unknown", HALF_WAY) from error
        raise


def lines_sent() -> Iterable[Line]:
    """Return the lines of a batch, or the items of an array as lines."""
    body = body_of(request)
    if request.is_json:
        return batch.items_of(batch.values_of(body))
    if request.mimetype not in NEWLINE_DELIMITED:
        raise Problem("unsupported-media-type", BATCH_TYPES)
    return batch.lines_of(batch.pieces_of(body))


def status_of(command_id: UUID) -> str:
    """Return the status of an accepted command, "accepted" if it cannot be read."""
    try:
        with the_shop().engine.connect() as connection:
            entry = entries.find(connection, command_id)
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise
        # An error here could make the client send the command again, with another key.
        return "accepted"
    return entry.display_status if entry else "accepted"


@routes.get("/commands/<uuid:command_id>")
def command(command_id: UUID) -> ResponseReturnValue:
    only()
    kept = find_kept(command_id)
    if kept is not None and may_see_commands_of(kept.principal):
        note_store("hot", None)
        return entry_as_json(kept, kept.events)
    entry, events = find_command(command_id)
    # A caller without the permission must not learn that another user sent it.
    if entry is not None and may_see_commands_of(entry.principal):
        keep(entry, events)
        return entry_as_json(entry, events)
    raise no_command(command_id)


def find_kept(command_id: UUID) -> FinalCommand | None:
    """Return a command that is over from the store of hot rows, if it has it."""
    hot = the_shop().stores.hot
    if hot is None:
        return None
    return hot.ask(lambda rows: final_commands.find_command(rows.store, command_id))


def keep(entry: Entry, events: Sequence[CausedEvent]) -> None:
    """Have the store of hot rows answer next time, if the command is over."""
    hot = the_shop().stores.hot
    if hot is not None and entry.status in final_commands.FINAL:
        hot.ask(lambda rows: final_commands.keep_command(rows.store, entry, events))


def entry_as_json(
    entry: Entry | FinalCommand, events: Sequence[CausedEvent]
) -> dict[str, Any]:
    return {**row_as_json(entry), "events": [event._asdict() for event in events]}


def row_as_json(entry: Entry | FinalCommand) -> dict[str, Any]:
    """Return *entry* as an item of a list: without its events."""
    return {
        "id": str(entry.id),
        "type": entry.type,
        "status": entry.display_status,
        "stream_id": entry.stream_id,
        "accepted_at": entry.accepted_at.isoformat(),
        "not_before": entry.not_before.isoformat() if entry.not_before else None,
        "finished_at": entry.finished_at.isoformat() if entry.finished_at else None,
        "position": entry.position,
        "error": error_as_json(entry.status, entry.error),
        "links": {
            "self": url_for("api.command", command_id=entry.id),
            "page": url_for("commands.fate", command_id=entry.id),
            **links_to_cancel(entry),
            **links_to_rows(entry),
        },
    }


def links_to_cancel(entry: Entry | FinalCommand) -> dict[str, str]:
    if not entry.is_scheduled:
        return {}
    return {"cancel": url_for("journal.cancel", command_id=entry.id)}


def links_to_rows(entry: Entry | FinalCommand) -> dict[str, str]:
    """Return links to the row that a command changed, with the position to wait for."""
    if entry.status != "succeeded":
        return {}
    category, _, name = entry.stream_id.partition("-")
    if category not in ROWS:
        return {}
    endpoint, about = ROWS[category]
    asked: dict[str, Any] = {about: name, "min_position": entry.position}
    return {category: url_for(endpoint, **asked)}


def error_as_json(
    status: str, error: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return why a command with this *status* was refused, or that it failed."""
    # The error of a failed command may name internals.
    if status == "failed":
        return {"message": "It failed. The operator of the shop can find the reason."}
    if status != "rejected" or error is None:
        return None
    return {name: error.get(name) for name in ("rule", "message", "figures")}
