"""Merges a form with changes that another user made meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import psycopg

from domain.customers.commands import ChangeCustomerDetails
from domain.customers.customer import Customer
from domain.errors import Fault
from eventstore.aggregates.as_of import AsOf, load_as_of
from eventstore.aggregates.replaying import apply_step
from eventstore.errors import EventStoreError
from eventstore.journal.entries import Entry
from eventstore.log.read import read_stream
from eventstore.personal.keyring import Keyring
from webapp.current_shop import the_notation, the_shop
from webapp.forms.form import Form
from webapp.forms.form_state import FormState
from webapp.forms.labels import label
from webapp.forms.values import FormValues, values_for


def data_of_customer(customer: Customer) -> Mapping[str, Any]:
    return {} if customer.details is None else asdict(customer.details)


DATA: Mapping[type, Callable[[Any], Mapping[str, Any]]] = {
    ChangeCustomerDetails: data_of_customer
}
"""By command, a function from the state that it changes to the form's data."""


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
    """A form as the sender has *seen* it, and as it is *now*, at *version*, and why."""

    seen: FormValues
    now: FormValues
    version: int
    changes: list[Change]


class MergedForm(NamedTuple):
    """The form with the changes of both, and the changes of others, in order."""

    filled: FormState
    changes: list[Change]


def merge_form(filled: FormState, entry: Entry) -> MergedForm | None:
    """
    Return *filled*, which was sent as *entry* on an old version, merged with the new.

    A field that the sender changed keeps the typed value; any other has its present
    value. If both changed it, the typed value stays, and the field shows the other one.
    None if the log has no such version, or cannot be read.
    """
    shop, form = the_shop(), filled.form
    if entry.expected_version is None:
        return None
    with shop.lent() as connection:
        try:
            since = changes_since(
                connection, form, entry.stream_id, entry.expected_version
            )
        except EventStoreError:
            return None
    typed, faults = both(form, filled.typed, since)
    again = replace(filled, typed=typed, faults=faults, version=str(since.version))
    return MergedForm(again, since.changes)


def is_mergeable(form: Form) -> bool:
    """Return whether *form* shows a state, so that two edits of it can be merged."""
    return form.command in DATA


def changes_since(
    connection: psycopg.Connection[Any], form: Form, stream_id: str, version: int
) -> FormChanges:
    """Return the changes of a stream's form since *version*."""
    shop = the_shop()
    decider = shop.deciders.of_stream(stream_id)
    as_of = AsOf(version=version)
    state = load_as_of(connection, [stream_id], shop.deciders, as_of).states[stream_id]
    keyring = Keyring(connection, shop.deciders.masters)
    seen = now = show_value(form, state)
    changes = []
    for event in read_stream(connection, stream_id, after=version):
        step = apply_step(decider, state, event, keyring)
        if step.error is not None:
            raise step.error
        before, now, state = now, show_value(form, step.after), step.after
        actor = msgspec.json.decode(event.metadata).get("actor")
        changes += [
            Change(
                field=name,
                old=before.fields[name],
                new=now.fields[name],
                actor=actor,
                occurred_at=event.occurred_at,
            )
            for name in form.fields
            if before.fields[name] != now.fields[name]
        ]
        version = event.version
    return FormChanges(seen, now, version, changes)


def show_value(form: Form, state: Any) -> FormValues:
    return values_for(form, DATA[form.command](state), the_notation())


def both(
    form: Form, typed: FormValues, since: FormChanges
) -> tuple[FormValues, list[Fault]]:
    """Return *typed* with the changes of others, and the fields that both changed."""
    mine, seen, now = typed.fields, since.seen.fields, since.now.fields
    fields, met = dict(now), []
    for unit in units_of(form):
        if all(mine[name] in (seen[name], now[name]) for name in unit):
            # The sender changed nothing here.
            continue
        is_met = any(now[name] not in (seen[name], mine[name]) for name in unit)
        for name in unit:
            fields[name] = mine[name]
            if is_met and mine[name] != now[name]:
                met.append(Fault(name, f"was changed meanwhile to {quote(now[name])}"))
    return FormValues(fields), met


def units_of(form: Form) -> list[list[str]]:
    """Return the groups of fields that are merged as a whole, such as an address."""
    units: dict[str, list[str]] = {}
    for name in form.fields:
        units.setdefault(name.partition(".")[0], []).append(name)
    return list(units.values())


def quote(text: str) -> str:
    return f"\u201c{text}\u201d" if text else "nothing"
