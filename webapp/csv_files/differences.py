"""What differs between two moments, as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eventstore.projections.table_differences import RowDifference
from webapp.csv_files.cells import cell_of
from webapp.past.subjects import Subject


def write_differences(subject: Subject, rows: Iterable[RowDifference]) -> str:
    """
    Return a line a row: what happened, which columns differ, all values, then the old.

    The values are those after it, of a row that went the last ones; old ones are there
    for columns that differ.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(
        [
            *("change", "columns"),
            *subject.columns,
            *(f"before_{name}" for name in subject.columns),
        ]
    )
    for row in rows:
        writer.writerow(line_of(subject, row))
    return text.getvalue()


def line_of(subject: Subject, row: RowDifference) -> Sequence[str]:
    before, after = subject.shown(row.before), subject.shown(row.after)
    values = after or before or {}
    old: Mapping[str, Any] = before or {}
    return [
        kind_of(row),
        " ".join(row.columns),
        *(cell_of(values[name]) for name in subject.columns),
        *(cell_of(old[n]) if n in row.columns else "" for n in subject.columns),
    ]


def kind_of(row: RowDifference) -> str:
    """Return whether a row came, went or changed."""
    if row.before is None:
        return "came"
    return "went" if row.after is None else "changed"
