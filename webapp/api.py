"""Commands in and orders out, as JSON; every command needs an Idempotency-Key."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from eventstore.journal import entries
from eventstore.journal.entries import Entry
from readmodels import order_list
from readmodels.order_list import OrderSummaryView
from tasks.accepting import accept
from webapp.input import command_from, envelope, usable_key, version_of
from webapp.parsing import json_of
from webapp.problems import Problem
from webapp.showing import number_asked
from webapp.wiring import LOCAL, reading, the_shop

MOST_ORDERS = 200

routes = Blueprint("api", __name__, url_prefix="/api")


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


def status_of(command_id: UUID) -> str:
    with the_shop().engine.connect() as connection:
        entry = entries.find(connection, command_id)
    return entry.status if entry else "accepted"


@routes.get("/commands/<uuid:command_id>")
def command(command_id: UUID) -> ResponseReturnValue:
    with the_shop().engine.connect() as connection:
        entry = entries.find(connection, command_id)
    if entry is None:
        abort(404)
    return entry_as_json(entry)


def entry_as_json(entry: Entry) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "type": entry.type,
        "status": entry.status,
        "stream_id": entry.stream_id,
        "accepted_at": entry.accepted_at.isoformat(),
        "finished_at": entry.finished_at.isoformat() if entry.finished_at else None,
        "position": entry.position,
        "error": error_as_json(entry),
        "links": {
            "self": url_for("api.command", command_id=entry.id),
            "page": url_for("commands.fate", command_id=entry.id),
        },
    }


def error_as_json(entry: Entry) -> dict[str, Any] | None:
    # What made a command fail may name what nobody outside should see.
    if entry.status == "failed":
        return {"message": "It was not done. The operator of the shop sees why."}
    if entry.status != "rejected" or entry.error is None:
        return None
    return {name: entry.error.get(name) for name in ("rule", "message", "figures")}


@routes.get("/orders")
def orders() -> ResponseReturnValue:
    limit = number_asked("limit", highest=MOST_ORDERS) or 50
    after = request.args.get("after")
    with reading() as connection:
        page = order_list.find(connection, limit=limit, after=after)
    following = page.following and url_for(
        "api.orders", limit=limit, after=page.following
    )
    return {"orders": [order_as_json(o) for o in page.rows], "next": following}


def order_as_json(order: OrderSummaryView) -> dict[str, Any]:
    """Return *order* as JSON; its total is in minor units of its currency."""
    return {**asdict(order), "created_at": order.created_at.isoformat()}
