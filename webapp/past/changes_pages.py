"""`/orders/changes?from=…&to=…`, and of other lists: pages in words."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from eventstore.projections.table_differences import RowDifference
from webapp.csv_files.differences import kind_of
from webapp.current_shop import the_notation
from webapp.forms.labels import label
from webapp.past.changes_api import as_csv, view_of
from webapp.past.changes_asked import find_changes, moment_in_address
from webapp.past.moment_asked import moment_of_time
from webapp.past.on_pages import yesterday
from webapp.past.subjects import SUBJECTS, Subject
from webapp.why.wording import Words

A_PAGE = 50
routes = Blueprint("changed", __name__)


def add_pages(subject: Subject) -> None:
    """Add the pages of the changes of *subject*."""
    routes.get(f"/{subject.name}/changes", endpoint=subject.name)(
        view_of(subject, show)
    )
    routes.get(f"/{subject.name}/changes.csv", endpoint=f"{subject.name}_csv")(
        view_of(subject, as_csv)
    )


def show(subject: Subject) -> ResponseReturnValue:
    """Show what changed; without a beginning, since the end of yesterday."""
    begin = moment_in_address("from")
    if begin is None and not request.args.get("from"):
        begin = moment_of_time("from", yesterday())
    found = find_changes(subject, begin, moment_in_address("to"), A_PAGE)
    return render_template(
        "past/changes.html",
        found=found,
        subject=subject,
        rows=[
            (row, kind_of(row), sentences_of(subject, row), summary_of(subject, row))
            for row in found.rows
        ],
        label=label,
    )


def summary_of(subject: Subject, row: RowDifference) -> str:
    """Return which row it is, in words."""
    shown = subject.shown(row.after or row.before) or {}
    return ", ".join(words_of(name, shown) for name in subject.summary)


def sentences_of(subject: Subject, row: RowDifference) -> list[tuple[str, str, str]]:
    """Return of each column that differs its label, and in words the old and new."""
    before, after = subject.shown(row.before) or {}, subject.shown(row.after) or {}
    return [
        (label(name), words_of(name, before), words_of(name, after))
        for name in row.columns
    ]


def words_of(name: str, row: Mapping[str, Any]) -> str:
    """Return a value as pages show it."""
    return words_in(row.get("currency")).word(name, row[name])


def words_in(currency: str | None) -> Words:
    """Return the words of pages for amounts in *currency*; None: in the shop's."""
    notation = the_notation()
    return Words(currency=currency or notation.currency, notation=notation)


for _subject in SUBJECTS.values():
    add_pages(_subject)
