"""`GET /api/orders/changes?from=…&to=…`, and of other lists: JSON, or CSV."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from eventstore.projections.table_differences import RowDifference
from webapp.csv_files.differences import kind_of, write_differences
from webapp.json_values import as_json
from webapp.past.changes_asked import (
    MOMENTS,
    Changes,
    find_changes,
    moment_in_address,
)
from webapp.past.moment_asked import AskedMoment
from webapp.past.subjects import SUBJECTS, Subject
from webapp.query_parameters import number, only

MAX_ROWS = 200
A_PAGE = 50
MAX_ROWS_OF_CSV = 10_000

routes = Blueprint("differences", __name__, url_prefix="/api")


def add_addresses(subject: Subject) -> None:
    """Add the addresses of the changes of *subject*."""
    routes.get(f"/{subject.name}/changes", endpoint=subject.name)(
        view_of(subject, as_answer)
    )
    routes.get(f"/{subject.name}/changes.csv", endpoint=f"{subject.name}_csv")(
        view_of(subject, as_csv)
    )


def view_of(
    subject: Subject, show: Callable[[Subject], ResponseReturnValue]
) -> Callable[[], ResponseReturnValue]:
    return lambda: show(subject)


def as_answer(subject: Subject) -> ResponseReturnValue:
    """Return the changes as the client accepts them; JSON if it does not mind."""
    accepted = request.accept_mimetypes
    best = accepted.best_match(["application/json", "text/csv"])
    return as_csv(subject) if best == "text/csv" else as_page(subject)


def as_page(subject: Subject) -> dict[str, Any]:
    only(*MOMENTS, "after", "limit")
    limit = number("limit", highest=MAX_ROWS) or A_PAGE
    begin, end = moment_in_address("from"), moment_in_address("to")
    found = find_changes(subject, begin, end, limit)
    return {
        "changes": [change_of(subject, row) for row in found.rows],
        "next": next_page(found),
        "came": found.counts.came,
        "went": found.counts.went,
        "changed": found.counts.changed,
        "columns": {
            name: count
            for name, count in found.counts.columns.items()
            if name in subject.columns
        },
        "from": field_of(found.begin),
        "to": field_of(found.end),
    }


def as_csv(subject: Subject) -> Response:
    """Return the changes as CSV; `Link` has the address of those behind them."""
    only(*MOMENTS, "after", "limit")
    limit = number("limit", highest=MAX_ROWS_OF_CSV) or MAX_ROWS_OF_CSV
    begin, end = moment_in_address("from"), moment_in_address("to")
    found = find_changes(subject, begin, end, limit)
    response = Response(
        write_differences(subject, found.rows), content_type="text/csv; charset=utf-8"
    )
    name = f'attachment; filename="{subject.name}-changes.csv"'
    response.headers["Content-Disposition"] = name
    if address := next_page(found):
        response.headers["Link"] = f'<{address}>; rel="next"'
    return response


def change_of(subject: Subject, row: RowDifference) -> dict[str, Any]:
    """Return a row that differs; of one that changed also what was before."""
    before, after = subject.shown(row.before), subject.shown(row.after)
    return {
        "change": kind_of(row),
        "key": row.key,
        "row": as_json(after or before),
        "before": {name: as_json((before or {})[name]) for name in row.columns},
    }


def field_of(moment: AskedMoment | None) -> Any:
    """Return a moment as JSON: a time, or a position; None is the present."""
    if moment is None:
        return None
    return as_json(moment.at) if moment.position is None else moment.position


def next_page(found: Changes) -> str | None:
    """Return the address of the rows behind those that were found, if there are any."""
    if found.following is None or request.endpoint is None:
        return None
    asked: dict[str, Any] = {**request.args.to_dict(), "after": found.following}
    return url_for(request.endpoint, **asked)


for _subject in SUBJECTS.values():
    add_addresses(_subject)
