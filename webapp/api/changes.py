"""
Changes of the rows of a read model for other services, page by page.

Each answer has the rows as they are now, in the order of their last changes, and the
address of the next page. Only read models that an operator lets be followed have them.
"""

import time
from collections.abc import Sequence
from typing import Any

import psycopg
from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from eventstore.cursors import decode_cursor, encode_cursor
from eventstore.errors import (
    BadCursor,
    CheckpointNotInLog,
    ReadModelOutdated,
    UnknownReadModel,
)
from eventstore.errors.following import ChangesBegunAgain, NotFollowed
from eventstore.projections.changes import (
    ChangesCursor,
    ChangesPage,
    NewestChange,
    RowChange,
    read_changes,
)
from eventstore.projections.column import column_of
from eventstore.projections.comments import personal_columns
from eventstore.projections.freshness import Freshness, wait_for
from eventstore.projections.parked_rows import find_parked_of_rows
from eventstore.projections.parked_streams import ParkedStream
from eventstore.projections.projection import Projection
from tasks.shop.permissions import PERSONAL
from webapp.api.events import seconds_to_wait, the_hand_over, waits_with
from webapp.authorization import caller, token_of_caller
from webapp.current_shop import the_shop
from webapp.feed.subscribers import RowWaiter
from webapp.json_values import as_json
from webapp.parked_rows import parked_field
from webapp.problems import Problem, position_fields
from webapp.query_parameters import number, one_of, only, refuse

A_PAGE = 100
MAX_CHANGES = 1_000

routes = Blueprint("changes", __name__, url_prefix="/api/changes")


@routes.get("")
def page() -> ResponseReturnValue:
    only("readmodel", "after", "limit")
    projection = projection_asked()
    limit = number("limit", highest=MAX_CHANGES) or A_PAGE
    sees_personal = PERSONAL in caller().permissions
    with the_shop().lent() as connection:
        found = page_behind(connection, projection, limit)
        # Read after the rows: it only says whether more can be expected.
        freshness = wait_for(connection, projection, found.position, seconds=0)
        marks = marks_of(connection, projection, found.changes, freshness)
    seconds = seconds_to_wait()
    hand_over = the_hand_over()
    if found.is_last and not found.changes and seconds:
        waiting = RowWaiter(
            read_model=projection.name,
            seen=NewestChange(
                found.cursor.epoch, found.cursor.generation, found.newest
            ),
            sees_personal=sees_personal,
            token=token_of_caller(),
            until=time.monotonic() + seconds,
        )
        if waits_with(waiting):
            return Response(status=204)
    hidden = frozenset() if sees_personal else personal_columns(projection.row)
    cursor = format_cursor(projection, found.cursor)
    answer: dict[str, Any] = {
        "readmodel": projection.name,
        "epoch": found.cursor.epoch,
        "generation": found.cursor.generation,
        "changes": [
            {**published(change, hidden), **parked_field(mark)}
            for change, mark in zip(found.changes, marks, strict=True)
        ],
        "hidden": sorted(hidden),
        "cursor": cursor,
        "next": address(projection, after=cursor, limit=limit),
        "is_last": found.is_last,
        **position_fields(freshness._replace(reached=found.position)),
    }
    headers = {}
    if hand_over is not None and hand_over.has_waited:
        headers["Preference-Applied"] = f"wait={seconds}"
    return answer, headers


def projection_asked() -> Projection:
    """Return the read model in the request. Raises the Problem that there is none."""
    known = {projection.name: projection for projection in the_shop().projections}
    name = one_of("readmodel", sorted(known))
    if name is None:
        refuse(f"readmodel must be one of {', '.join(sorted(known))}")
    return known[name]


def page_behind(
    connection: psycopg.Connection[Any], projection: Projection, limit: int
) -> ChangesPage:
    """Return the requested page. Raises the Problem why there is none."""
    try:
        return read_changes(
            connection, projection, cursor_asked(projection), limit=limit
        )
    except NotFollowed as error:
        raise Problem("not-followed", f"{error}.") from error
    except ChangesBegunAgain as error:
        raise Problem(
            "changes-begun-again",
            f"{error}",
            epoch=error.epoch,
            generation=error.generation,
            next=address(projection, limit=limit),
        ) from error
    except CheckpointNotInLog as error:
        raise Problem(
            "other-log",
            "The rows that you have were made of events that are not in this log: it"
            " was restored from a backup, or copied. Take the changes from the first,"
            " without the rows that you have.",
            next=address(projection, limit=limit),
        ) from error
    except (ReadModelOutdated, UnknownReadModel) as error:
        raise Problem(
            "read-model-missing",
            f"The read model {projection.name} has no rows of today's definition:"
            f" recount rebuild {projection.name} makes them.",
        ) from error


def cursor_asked(projection: Projection) -> ChangesCursor | None:
    """Return the cursor in `after`, None without one. Raises the Problem."""
    written = request.args.get("after")
    if not written:
        return None
    is_text = column_of(projection.row, projection.key).kind == "text"
    key = (str if is_text else int) | None
    types = (str, int, int, key, int, str | None)
    try:
        return ChangesCursor(*decode_cursor(written, order_of(projection), types))
    except BadCursor:
        refuse(f"after must be a cursor of the changes of {projection.name}")


def format_cursor(projection: Projection, cursor: ChangesCursor) -> str:
    return encode_cursor(order_of(projection), cursor)


def order_of(projection: Projection) -> str:
    return f"changes of {projection.name}"


def marks_of(
    connection: psycopg.Connection[Any],
    projection: Projection,
    changes: Sequence[RowChange],
    freshness: Freshness,
) -> list[ParkedStream | None]:
    """Return for each change the parked stream whose later events its row lacks."""
    if projection.name not in freshness.parked:
        return [None] * len(changes)
    rows = [change.row for change in changes if change.row is not None]
    parked = iter(find_parked_of_rows(connection, projection, rows))
    return [
        None if change.row is None else next(iter(next(parked)), None)
        for change in changes
    ]


def published(change: RowChange, hidden: frozenset[str]) -> dict[str, Any]:
    """Return a change as JSON values, its row without the columns *hidden*."""
    row = None if change.row is None else as_json(change.row)
    return {
        "key": change.key,
        "change": change.change,
        "position": change.position,
        "gone": row is None,
        "row": row and {name: row[name] for name in row if name not in hidden},
    }


def address(projection: Projection, **asked: Any) -> str:
    return url_for("changes.page", readmodel=projection.name, **asked)
