"""Forms of which another user has changed what they are about: told, and merged."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import psycopg

from eventstore.connection import driver_connection
from eventstore.errors import EventStoreError
from eventstore.ids import command_id_for
from eventstore.journal import entries
from eventstore.journal.entries import Entry
from eventstore.log.read import read_stream
from readmodels.order_parts import HistoryLine
from webapp.current_shop import the_notation, the_shop
from webapp.forms.form import Action, Form
from webapp.forms.form_state import FormState
from webapp.forms.labels import label
from webapp.forms.merging import Meeting, ThreeValues, merge
from webapp.forms.row_versions import RowVersion, row_versions
from webapp.forms.values import FormValues, values_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Another user's change of a field, as texts; *old* or *new* may be empty."""

    field: str
    old: str
    new: str
    actor: str | None
    occurred_at: datetime

    @property
    def label(self) -> str:
        return label(self.field)


class FormChanges(NamedTuple):
    """
    What happened since a form was opened.

    *seen* is the row as its sender has seen it, *versions* what each event made of it
    since then, and *now* the last of them, or *seen*.
    """

    seen: Any
    versions: Sequence[RowVersion]

    @property
    def now(self) -> Any:
        return self.versions[-1].row if self.versions else self.seen


class MergedForm(NamedTuple):
    """
    The form with the changes of both; None if nothing is left to be done with it.

    *happened* is what an order's history says of the time in between; *changes* are
    those of the form's fields, of what has no history; *met* are fields of both.
    """

    filled: FormState | None
    happened: Sequence[HistoryLine]
    changes: Sequence[Change]
    met: Sequence[Meeting]


def expected_version(filled: FormState, stream_id: str, seen: int, user: str) -> int:
    """
    Return the version that a form's command expects, where its sender has *seen* one.

    It is the present one if nothing that the form is about has changed since: who notes
    a payment need not know of a new address. A form that was sent before expects what
    it did then, so that it is known again.
    """
    with the_shop().autocommitting.connect() as lent:
        connection = driver_connection(lent)
        if not read_stream(connection, stream_id, after=seen, limit=1):
            return seen
        try:
            since = changes_since(connection, stream_id, seen)
        except EventStoreError:
            since = None
        # Behind the changes: one that was sent at the same time may be one of them.
        before = entries.find(lent, command_id_for(user, filled.key))
        if before is not None:
            return before.expected_version or seen
    if since is None or concerns(filled.form, since.seen) != concerns(
        filled.form, since.now
    ):
        return seen
    return since.versions[-1].event.version if since.versions else seen


def concerns(form: Form, row: Any) -> Any:
    """Return what of a *row* the form is about."""
    if isinstance(form, Action):
        return (form.concerns or form.suggest)(row)
    return show_values(form, row)


def merge_form(filled: FormState, entry: Entry) -> MergedForm | None:
    """
    Return *filled*, which was sent as *entry* on an old version, merged with the new.

    A form that replaces what it shows has the changes of others, where its sender made
    none; any other keeps what was typed. None if the log has no such version, or cannot
    be read.
    """
    form = filled.form
    if entry.expected_version is None:
        return None
    with the_shop().lent() as connection:
        try:
            since = changes_since(connection, entry.stream_id, entry.expected_version)
        except EventStoreError:
            return None
    if since is None or not since.versions:
        return None
    happened = happened_since(since.now, entry.expected_version)
    if isinstance(form, Action) and not form.is_offered(since.now):
        return MergedForm(None, happened, (), ())
    typed, met = filled.typed, list[Meeting]()
    if form.replaces:
        seen, now = (show_values(form, row) for row in (since.seen, since.now))
        typed, met = merge(form, ThreeValues(seen, now, typed))
    return MergedForm(
        replace(
            filled,
            typed=typed,
            faults=[one.fault for one in met],
            version=str(since.versions[-1].event.version),
        ),
        happened,
        changes_of(form, since) if form.replaces else (),
        met,
    )


def changes_since(
    connection: psycopg.Connection[Any], stream_id: str, version: int
) -> FormChanges | None:
    """Return what happened to a stream since *version*; None if it has no such one."""
    seen: RowVersion | None = None
    later = []
    for one in row_versions(connection, stream_id):
        if one.event.version == version:
            seen = one
        elif one.event.version > version:
            later.append(one)
    return None if seen is None else FormChanges(seen.row, later)


def show_values(form: Form, row: Any) -> FormValues:
    """Return a row as the form shows it."""
    data: Mapping[str, Any] = (
        form.suggest(row) if isinstance(form, Action) else asdict(row)
    )
    return values_for(form, data, the_notation())


def happened_since(row: Any, version: int) -> Sequence[HistoryLine]:
    """Return what the history of a row has after a version, if it has a history."""
    history: Sequence[HistoryLine] = getattr(row, "history", ())
    return [line for line in history if line.version > version]


def changes_of(form: Form, since: FormChanges) -> list[Change]:
    """Return the changes of the form's fields, event by event."""
    rows = [since.seen, *(one.row for one in since.versions)]
    shown = [show_values(form, row).fields for row in rows]
    return [
        Change(
            field=name,
            old=before[name],
            new=after[name],
            actor=msgspec.json.decode(event.metadata).get("actor"),
            occurred_at=event.occurred_at,
        )
        for (event, _), (before, after) in zip(
            since.versions, pairwise(shown), strict=True
        )
        for name in form.fields
        if before[name] != after[name]
    ]
