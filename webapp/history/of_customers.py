"""The history of a customer: the events of its stream, and what each changed."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from domain.customers.events import (
    CustomerDetails,
    CustomerForgotten,
    FirstOrderRequested,
)
from eventstore.errors import EventStoreError
from eventstore.log.events import Metadata, RecordedEvent
from readmodels.customers import CustomerView
from readmodels.order_parts import HistoryLine
from webapp.history.events import ReadEvent, in_words, read_events
from webapp.history.filtering import (
    HistoryEntry,
    HistoryPage,
    history_asked,
    page_of,
)
from webapp.outages import DATABASE_ERRORS

MAX_READ = 1_000
"""How many events are looked at for a page; those before them are on another one."""
KIND_OF = {
    "name": "name",
    "email": "contact",
    "contact_name": "contact",
    "phone": "contact",
    "address": "address",
}


def history_of(customer: CustomerView) -> HistoryPage | None:
    """Return the page of the history that is asked for; None if it is away."""
    asked = history_asked()
    version = customer.version
    if version > MAX_READ and asked.before is not None:
        version = min(version, asked.before - 1)
    try:
        # One more shows what the first one changed.
        events = read_events(
            f"customer-{customer.customer_id}", version, limit=MAX_READ + 1
        )
    except (EventStoreError, *DATABASE_ERRORS):
        return None
    page = page_of(list(happened(events)), asked)
    if page.earlier is None and events and events[0].recorded.version > 1:
        return replace(page, earlier=events[1].recorded.version)
    return page


def happened(events: list[ReadEvent]) -> Iterator[HistoryEntry]:
    """Yield what happened, but for a first event whose past was not read."""
    known: CustomerDetails | None = None
    for place, one in enumerate(events):
        if place or one.recorded.version == 1:
            yield told_of(one, known)
        if isinstance(one.event, CustomerDetails):
            known = one.event


def told_of(one: ReadEvent, known: CustomerDetails | None) -> HistoryEntry:
    """Return what an event says; the details were as *known* before it, if they are."""
    line = line_of(one.recorded)
    match one.event:
        case CustomerForgotten():
            return HistoryEntry(line=line, kinds=["forgotten"])
        case FirstOrderRequested():
            return HistoryEntry(line=line, kinds=["placed"])
        case CustomerDetails() if line.version == 1:
            return HistoryEntry(line=line, kinds=["registered"])
        case CustomerDetails() as details if known is not None:
            differing = [
                name
                for name in KIND_OF
                if getattr(known, name) != getattr(details, name)
            ]
            kinds = dict.fromkeys(KIND_OF[name] for name in differing)
            changed = list(in_words(differing, known, details))
            # Once they are forgotten, nobody knows what it was.
            return HistoryEntry(
                line=line, kinds=[*kinds] or ["others"], changed=changed
            )
        case _:
            return HistoryEntry(line=line, kinds=["others"])


def line_of(event: RecordedEvent) -> HistoryLine:
    metadata = msgspec.json.decode(event.metadata, type=Metadata)
    return HistoryLine(
        event=event.type,
        version=event.version,
        position=event.position,
        occurred_at=event.occurred_at,
        actor=metadata.actor,
        command_id=metadata.command_id,
        causation_id=metadata.causation_id,
        source=metadata.source,
        told={},
    )
