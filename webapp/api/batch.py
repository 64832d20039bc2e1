"""Batches of commands: lines of JSON, each accepted or refused by itself."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from domain.errors import InvalidInput
from eventstore.errors import EventStoreError
from eventstore.journal.accept import AcceptanceResult
from tasks.accept import IN_A_SET, CommandRequest, accept_many
from tasks.shop.wiring import Shop
from webapp.command_input import (
    ENVELOPE,
    command_from,
    confirmed_in,
    envelope,
    usable_key,
)
from webapp.date_checks import knows
from webapp.json_body import parse
from webapp.problems import Problem, fault_as_json

MAX_LINES = 250_000
"""In one request: each has an answer, and two bytes are enough for a wrong line."""
MAX_FAULTS = 10
"""Of one line: all lines of a file may have the same faults."""
MAX_SHOWN = 200
"""Characters of a field's name or problem; both may quote the request."""
MAX_OBJECTS = 600_000
"""Of an array: parsing one takes a microsecond, and a command has two."""

Require = Callable[[str], None]


def nothing_required(command_type: str) -> None:
    """Permit commands of every type: the operator's login suffices."""


class Limits(NamedTuple):
    """The refused lines after which a batch ends, and the bytes of a line."""

    refusals: int | None
    line: int | None


OF_A_REQUEST = Limits(refusals=1_000, line=64 * 1024)
"""A line is a command, with the limit of a single one."""
OF_A_FILE = Limits(None, None)
"""An operator's file: the operator sees each line's answer."""


class Line(NamedTuple):
    """A line: its number, from 1, and its bytes or JSON value."""

    number: int
    content: Any
    is_parsed: bool = False


def lines_of(pieces: Iterable[bytes]) -> Iterator[Line]:
    """Yield the lines that are not blank; blank ones count in the numbers."""
    for number, piece in enumerate(pieces, start=1):
        if piece.strip():
            yield Line(number, piece)


def items_of(values: Iterable[Any]) -> Iterator[Line]:
    """Yield the items of an array as lines."""
    for number, value in enumerate(values, start=1):
        yield Line(number, value, is_parsed=True)


def accept_batch(
    shop: Shop,
    lines: Iterable[Line],
    *,
    principal: str,
    key: str | None,
    require: Require,
    limits: Limits = OF_A_REQUEST,
) -> Iterator[dict[str, Any]]:
    """
    Accept *lines* set by set, and yield an answer for each, in order.

    *require* raises the Problem that commands of a type may not be sent.

    A line's key is its own `key`; without one it is *key* with the line's number.
    Commands yielded as accepted are promised, even if a later line raises. If more are
    refused than *limits* has, the lines after that set are not read.
    """
    rest, refusals = iter(lines), 0
    while piece := list(islice(rest, IN_A_SET)):
        for told in accept_set(shop, piece, principal, key, require, limits):
            refusals += told["status"] == "refused"
            yield told
        if limits.refusals is not None and refusals >= limits.refusals:
            return


def accept_set(
    shop: Shop,
    lines: Iterable[Line],
    principal: str,
    key: str | None,
    require: Require,
    limits: Limits,
) -> Iterator[dict[str, Any]]:
    told: dict[int, dict[str, Any]] = {}
    wanted: dict[int, CommandRequest] = {}
    for line in lines:
        try:
            wanted[line.number] = request_of(
                shop, line, principal, key, require, limits
            )
            told[line.number] = {}
        except (Problem, InvalidInput) as refusal:
            told[line.number] = refusal_as_json(refusal)
    answers = accept_many(shop, list(wanted.values()), principal=principal)
    for number, answer in zip(wanted, answers, strict=True):
        told[number] = answer_as_json(answer)
    for number, answer_of_line in told.items():
        yield {"line": number, **answer_of_line}


def request_of(
    shop: Shop,
    line: Line,
    principal: str,
    key: str | None,
    require: Require,
    limits: Limits,
) -> CommandRequest:
    """Return the request of a line. Raises Problem or InvalidInput."""
    body = line.content if line.is_parsed else value_of(line.content, limits.line)
    own = None
    if isinstance(body, dict) and "key" in body:
        own = body["key"]
        body = {name: value for name, value in body.items() if name != "key"}
        if not isinstance(own, str):
            raise Problem("idempotency-key", "The key of a line must be a text.")
    elif key is not None:
        own = f"{key}/{line.number}"
    if own is None:
        detail = "The line has no key, and there is no header Idempotency-Key."
        raise Problem("idempotency-key", detail)
    name, data, version = envelope(shop, body, (*ENVELOPE, "key"))
    require(name)
    own = usable_key(own)
    command = command_from(
        shop,
        name,
        data,
        confirmed=confirmed_in(body),
        is_known=knows(shop, own, principal),
    )
    return CommandRequest(command, own, version)


def value_of(line: bytes, longest: int | None) -> Any:
    """Return the JSON value of a line of at most *longest* bytes. Raises Problem."""
    if longest is not None and len(line) > longest:
        raise Problem("too-large", f"A line has at most {longest // 1024} KiB.")
    return parse(line.strip())


def answer_as_json(answer: AcceptanceResult) -> dict[str, Any]:
    if isinstance(answer.error, EventStoreError):
        return as_json(Problem("invalid-input", str(answer.error)))
    if answer.error is not None:
        # PostgreSQL's message may quote the request.
        return as_json(Problem("invalid-input", "The database cannot store it."))
    if not answer.is_same:
        return {**as_json(Problem("key-reused")), "first": str(answer.command_id)}
    return {
        "id": str(answer.command_id),
        "status": answer.status,
        "is_new": answer.is_new,
    }


def refusal_as_json(refusal: Problem | InvalidInput) -> dict[str, Any]:
    if isinstance(refusal, Problem):
        return as_json(refusal)
    faults = refusal.faults
    found = "One field is wrong." if len(faults) == 1 else f"{len(faults)} are wrong."
    return {
        **as_json(Problem("invalid-input", found)),
        "faults": [
            fault_as_json(fault, most=MAX_SHOWN) for fault in faults[:MAX_FAULTS]
        ],
    }


def as_json(problem: Problem) -> dict[str, Any]:
    return {
        "status": "refused",
        "problem": f"/problems/{problem.name}",
        "detail": problem.detail,
    }


def pieces_of(body: bytes) -> list[bytes]:
    """Return the lines of *body*. Raises Problem if there are too many."""
    check_count(body.count(b"\n") + 1)
    return body.split(b"\n")


def check_count(lines: int) -> None:
    if lines > MAX_LINES:
        raise Problem("too-large", f"A batch has at most {MAX_LINES:,} lines.")


def values_of(body: bytes) -> list[Any]:
    """Return the items of the array in *body*. Raises Problem."""
    if body.count(b"{") + body.count(b"[") > MAX_OBJECTS:
        raise Problem("too-large", f"An array has at most {MAX_OBJECTS:,} objects.")
    values = parse(body, deepest=17)
    if not isinstance(values, list):
        raise Problem("bad-request", "A batch as JSON is an array of commands.")
    check_count(len(values))
    return values


def render_answers(told: Iterable[dict[str, Any]]) -> tuple[str, int, int]:
    """Return all lines' answers as JSON, the number accepted and the number refused."""
    texts, refusals = [], 0
    for line in told:
        texts.append(json.dumps(line, separators=(",", ":")))
        refusals += line["status"] == "refused"
    return f"[{','.join(texts)}]", len(texts) - refusals, refusals
