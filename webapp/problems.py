"""Every kind of problem an answer can name, and the page that explains it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, g, render_template
from flask.typing import ResponseReturnValue

from domain.errors import Fault
from eventstore.projections.freshness import Freshness
from webapp.json_values import as_json

SECONDS_TO_RETRY = 5
SECONDS_OF_WRONG_TOKENS = 60
HEADERS = {
    401: {"WWW-Authenticate": 'Bearer realm="recount"'},
    429: {"Retry-After": str(SECONDS_OF_WRONG_TOKENS)},
    503: {"Retry-After": str(SECONDS_TO_RETRY)},
}
SOONER = {
    "being-made": "1",
    "read-model-behind": "1",
    "too-many-moments": "5",
    "too-many-reasons": "1",
}
"""Seconds to retry of single kinds."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem (RFC 9457): its address stays, so programs may rely on it."""

    status: int
    title: str
    meaning: str


KINDS = {
    "bad-request": Kind(
        400, "The request cannot be understood", "The detail says which part of it."
    ),
    "malformed-json": Kind(
        400,
        "The body is not acceptable JSON",
        "It must be one JSON value in UTF-8, without NaN or Infinity, with no name "
        "twice in an object, and nested no deeper than 16.",
    ),
    "idempotency-key": Kind(
        400,
        "The Idempotency-Key is missing or unusable",
        "Every command needs one: 1 to 200 printable ASCII characters, chosen by the "
        "sender. The same key sent twice has one effect.",
    ),
    "token-required": Kind(
        401,
        "A valid token is required",
        "Send one in the header Authorization: Bearer …. `recount tokens create` makes "
        "one. A shop without users accepts the one in its data folder: curl -H "
        "@.local/header.",
    ),
    "login-required": Kind(
        401,
        "This browser has no access yet",
        "Open the address that `./recount up` printed, or run `./recount login` for "
        "another. Programs send the header in the data folder: curl -H @.local/header.",
    ),
    "forbidden": Kind(403, "This is not allowed", "Nothing was changed."),
    "not-found": Kind(
        404, "There is nothing at this address", "The address is wrong, or was removed."
    ),
    "not-followed": Kind(
        404,
        "The changes of this read model are not kept",
        "They are kept for read models that somebody follows. An operator decides that:"
        " `recount readmodels follow NAME`.",
    ),
    "method-not-allowed": Kind(
        405,
        "This address does not accept this method",
        "The header Allow lists the methods that it accepts.",
    ),
    "too-late": Kind(
        409,
        "The command can no longer be cancelled",
        "Only a scheduled command can, before its time. The detail has its status.",
    ),
    "other-log": Kind(
        410,
        "What was read so far is not in this log",
        "The log was restored from a backup, or copied. Events that were read may be "
        "missing in it, and others be in their places: begin again without `after`, or "
        "ask an operator.",
    ),
    "changes-begun-again": Kind(
        410,
        "These changes were begun again",
        "The read model was rebuilt, or its changes were not kept for a while. Take "
        "them from the first, without the rows that you have: `next` has the address, "
        "`generation` and `epoch` are the new ones.",
    ),
    "too-large": Kind(
        413,
        "The request is too large",
        "A body may have at most 64 KiB, a batch of commands 16 MiB and 250,000 lines.",
    ),
    "unsupported-media-type": Kind(
        415,
        "The type of the body is not accepted",
        "Send JSON, with Content-Type: application/json.",
    ),
    "invalid-input": Kind(
        422,
        "The input has faults",
        "Fields are missing, unknown or wrong. All of them are listed, by field.",
    ),
    "key-reused": Kind(
        422,
        "The Idempotency-Key was used before, with other content",
        "The first command stands; this one was not accepted. Send it with a new key "
        "if it is meant as another command.",
    ),
    "too-many-events": Kind(
        422,
        "This is made of too many events",
        "Nobody can wait so long for a page. An operator can ask without a bound: "
        "`recount why`.",
    ),
    "too-many-wrong-tokens": Kind(
        429,
        "There were too many wrong tokens",
        "For a minute only tokens that were valid before are accepted.",
    ),
    "too-many-moments": Kind(
        429,
        "Several moments are being made for you already",
        "Each moment of the past is made once, and then kept for a while. Wait until"
        " those that you have asked for are there.",
    ),
    "too-many-reasons": Kind(
        429,
        "Another answer is being computed for you",
        "Of ordered products and sums all orders are looked at, so each caller can ask"
        " for one reason at a time. Ask again in a second.",
    ),
    "internal-error": Kind(
        500,
        "An error occurred in the shop",
        "It was logged. Sending a command again with the same key is "
        "safe: it takes effect once.",
    ),
    "no-streams": Kind(
        501,
        "This server does not keep streams open",
        "Streams of events want the server that the Procfile names. Ask /api/events: it"
        " has the same events, page by page.",
    ),
    "too-many-streams": Kind(
        503,
        "As many streams of events are open as may be",
        "Close one, try again in a few seconds, or ask /api/events: it has the same "
        "events, page by page.",
    ),
    "too-many-files": Kind(
        503,
        "As many files are being made as may be",
        "A file with all rows of a list takes seconds. Try again in a few.",
    ),
    "unavailable": Kind(
        503,
        "The shop's database is away",
        "A command sent meanwhile is not accepted. Try again, with the same key.",
    ),
    "read-model-missing": Kind(
        503,
        "The read model is missing",
        "Its table was dropped. An operator can rebuild it from the log: `recount "
        "rebuild NAME`. The detail has the name. Everything else works, commands too.",
    ),
    "read-model-behind": Kind(
        503,
        "The read model has not read all of this moment",
        "It will have in a moment; the detail says how far it is. Ask again then.",
    ),
    "being-made": Kind(
        503,
        "This moment of the past is being made",
        "A list as of a moment is made from the events when it is asked for first. Ask"
        " again in a second: `events`, `of`, `percent` and `seconds_left` say how far"
        " it is.",
    ),
    "past-unavailable": Kind(
        503,
        "This moment of the past cannot be shown now",
        "It could not be made; the detail says why. Today's rows are there.",
    ),
    "parked": Kind(
        503,
        "This cannot be shown at the moment",
        "The program cannot show one of its changes, so it was set aside; everything "
        "else goes on. Nothing is lost: an operator mends the code, then `recount "
        "parked retry` shows it again. `parked` has the stream, and since when.",
    ),
    "undecidable": Kind(
        503,
        "What the command would cause cannot be told now",
        "This program cannot read what it would be decided on. Sent, it would be"
        " accepted and wait, until an operator has mended that.",
    ),
    "outcome-unknown": Kind(
        503,
        "The connection was lost before the answer came",
        "The command may or may not be accepted. Retry with the same key: it takes "
        "effect once either way.",
    ),
}

BY_STATUS = {
    400: "bad-request",
    401: "token-required",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    500: "internal-error",
}


class Problem(Exception):
    """An error answer: its kind, detail and faults."""

    def __init__(
        self, name: str, detail: str = "", *, faults: Sequence[Fault] = (), **more: Any
    ) -> None:
        self.name = name
        self.kind = KINDS[name]
        self.detail = detail or self.kind.meaning
        self.faults = faults
        self.more = more
        super().__init__(f"{self.kind.title}: {self.detail}")

    @property
    def headers(self) -> dict[str, str]:
        headers = HEADERS.get(self.kind.status, {})
        seconds = SOONER.get(self.name)
        return headers if seconds is None else {**headers, "Retry-After": seconds}


routes = Blueprint("problems", __name__)


@routes.get("/problems/<name>")
def explanation(name: str) -> ResponseReturnValue:
    if name not in KINDS:
        abort(404)
    return render_template("problem.html", name=name, kind=KINDS[name])


def fault_as_json(fault: Fault, *, most: int | None = None) -> dict[str, Any]:
    """Return *fault* as programs read it, its texts of at most *most* characters."""
    told: dict[str, Any] = {
        "field": fault.field[:most],
        "problem": fault.problem[:most],
    }
    # It is accepted with the field's name in the envelope's `confirmed`.
    return {**told, "can_be_confirmed": True} if fault.doubtful else told


def no_order(order_id: int, position: Freshness) -> Problem:
    return not_found(f"order {order_id}", position)


def no_customer(customer_id: str, position: Freshness) -> Problem:
    return not_found(f"customer {customer_id}", position)


def no_product(product_id: str, position: Freshness) -> Problem:
    return not_found(f"product {product_id}", position)


def no_account(account_id: str, position: Freshness) -> Problem:
    return not_found(f"account {account_id}", position)


def no_transfer(transfer_id: int, position: Freshness) -> Problem:
    return not_found(f"transfer {transfer_id}", position)


def not_found(what: str, position: Freshness) -> Problem:
    if not position.behind:
        return Problem("not-found", f"There is no {what}.")
    if position.passed_over is not None:
        fields = position_fields(position)
        return Problem("not-found", f"There is no {what}.", **fields)
    return Problem(
        "not-found",
        f"There is no {what} yet. The read model is {position.behind:,} positions"
        " behind the change that was asked for: try again in a moment.",
        **position_fields(position),
    )


def position_fields(position: Freshness) -> dict[str, Any]:
    """
    Return the position of the rows; if they are stopped, since when and why.

    If the event that was asked for is passed over: its stream, and since when. As of a
    moment: that, and how many streams were left out.
    """
    found: dict[str, Any] = {"position": position.reached, "behind": position.behind}
    if (past := g.get("past")) is not None:
        found |= past.field
        if g.get("left_out_then"):
            found["left_out"] = g.left_out_then
    if position.passed_over is not None:
        found["parked"] = {
            "since": as_json(position.passed_over.since),
            "stream": position.passed_over.stream_id,
        }
    if position.standstill is not None:
        found["stands_still_since"] = as_json(position.standstill.since)
        found["stands_still_because"] = position.standstill.because
    return found
