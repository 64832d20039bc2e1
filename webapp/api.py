"""Commands as JSON: one comes in with an Idempotency-Key, and what became of it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from eventstore.journal import entries
from eventstore.journal.entries import Caused, Entry
from tasks.accepting import accept
from webapp import batch
from webapp.asking import only
from webapp.away import DATABASE_ERRORS, is_outage
from webapp.batch import Line
from webapp.input import command_from, envelope, usable_key, version_of
from webapp.parsing import body_of, json_of
from webapp.problems import Problem
from webapp.wiring import LOCAL, the_shop

routes = Blueprint("api", __name__, url_prefix="/api")

NEWLINE_DELIMITED = ("application/x-ndjson", "application/jsonl", "application/ndjson")
HALF_WAY = (
    "Some lines are accepted already. Send the whole batch again, with the same keys: "
    "each takes effect once."
)
BATCH_TYPES = (
    "Send a command a line, with Content-Type: application/x-ndjson, or an array of "
    "them with application/json."
)


@routes.post("/commands")
def take() -> ResponseReturnValue:
    key = usable_key(request.headers.get("Idempotency-Key"))
    seen = version_of(request.headers.get("If-Match"))
    shop = the_shop()
    name, data, version = envelope(shop, json_of(request))
    if None not in (seen, version) and seen != version:
        raise Problem("bad-request", "If-Match and expected_version differ.")
    command = command_from(shop, name, data)
    accepted = accept(
        shop,
        command,
        key=key,
        principal=LOCAL,
        expected_version=version if seen is None else seen,
    )
    status = "accepted" if accepted.is_new else status_of(accepted.command_id)
    address = url_for("api.command", command_id=accepted.command_id)
    body = {
        "id": str(accepted.command_id),
        "type": name,
        "status": status,
        "links": {"self": address},
    }
    return body, 202, {"Location": address}


@routes.post("/commands/batch")
def take_batch() -> ResponseReturnValue:
    key = request.headers.get("Idempotency-Key")
    told = batch.take(
        the_shop(),
        lines_sent(),
        principal=LOCAL,
        key=None if key is None else usable_key(key),
    )
    lines, accepted, refused = batch.written(or_unknown(told))
    body = f'{{"accepted":{accepted},"refused":{refused},"lines":{lines}}}\n'
    # A 202 promises something; where there is nothing to promise it is none.
    return Response(body, 202 if accepted else 422, content_type="application/json")


def or_unknown(told: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what was *told*; where the database goes away half way, say that."""
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
    """Return the lines of a batch; an array's are its items."""
    body = body_of(request)
    if request.is_json:
        return batch.items_of(batch.values_of(body))
    if request.mimetype not in NEWLINE_DELIMITED:
        raise Problem("unsupported-media-type", BATCH_TYPES)
    return batch.lines_of(body.split(b"\n"))


def status_of(command_id: UUID) -> str:
    with the_shop().engine.connect() as connection:
        entry = entries.find(connection, command_id)
    return entry.status if entry else "accepted"


@routes.get("/commands/<uuid:command_id>")
def command(command_id: UUID) -> ResponseReturnValue:
    only()
    with the_shop().engine.connect() as connection:
        entry = entries.find(connection, command_id)
        if entry is None:
            raise Problem("not-found", f"There is no command {command_id}.")
        events = entries.find_events(connection, entry)
    return entry_as_json(entry, events)


def entry_as_json(entry: Entry, events: Sequence[Caused]) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "type": entry.type,
        "status": entry.status,
        "stream_id": entry.stream_id,
        "accepted_at": entry.accepted_at.isoformat(),
        "finished_at": entry.finished_at.isoformat() if entry.finished_at else None,
        "position": entry.position,
        "events": [event._asdict() for event in events],
        "error": error_as_json(entry),
        "links": {
            "self": url_for("api.command", command_id=entry.id),
            "page": url_for("commands.fate", command_id=entry.id),
            **links_to_rows(entry),
        },
    }


def links_to_rows(entry: Entry) -> dict[str, str]:
    """Return where the row is that a command has changed, at least as new as that."""
    if entry.status != "succeeded":
        return {}
    category, _, name = entry.stream_id.partition("-")
    about = {"order": "order_id", "customer": "customer_id"}.get(category)
    if about is None:
        return {}
    asked: dict[str, Any] = {about: name, "min_position": entry.position}
    return {category: url_for(f"queries.{category}", **asked)}


def error_as_json(entry: Entry) -> dict[str, Any] | None:
    # What made a command fail may name what nobody outside should see.
    if entry.status == "failed":
        return {"message": "It was not done. The operator of the shop sees why."}
    if entry.status != "rejected" or entry.error is None:
        return None
    return {name: entry.error.get(name) for name in ("rule", "message", "figures")}
