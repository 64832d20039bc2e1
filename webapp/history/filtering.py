"""What is asked of a history: whose events, of what kind, and which page of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from eventstore.log.read import MAX_VERSION
from readmodels.order_parts import HistoryLine
from webapp.query_parameters import number, text

MAX_SHOWN = 50
KINDS = (
    *("registered", "placed", "lines", "name", "contact", "address", "money"),
    *("shipping", "returns", "cancelling", "notes", "forgotten", "others"),
)
"""What an event can be about, in the order in which it is offered."""


class FieldChange(NamedTuple):
    """What an event has changed, in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """An event of a history, its *kinds*, and what it *changed* if that is told."""

    line: HistoryLine
    kinds: Collection[str]
    changed: Sequence[FieldChange] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """Events *by* a person, of a *kind*, *before* a version; None: all."""

    by: str | None = None
    kind: str | None = None
    before: int | None = None

    @property
    def is_filter(self) -> bool:
        return self.by is not None or self.kind is not None

    def holds_for(self, one: HistoryEntry) -> bool:
        return (
            self.by in (None, one.line.actor)
            and (self.kind is None or self.kind in one.kinds)
            and (self.before is None or one.line.version < self.before)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """
    The latest events that were *asked* for, oldest first.

    *people* and *kinds* are those that occur. The events before the version *earlier*
    are on another page; None if there are none.
    """

    asked: HistoryFilter
    shown: Sequence[HistoryEntry]
    people: Sequence[str]
    kinds: Sequence[str]
    earlier: int | None


def history_asked() -> HistoryFilter:
    """Return what the address asks. Raises the Problem that it cannot be understood."""
    return HistoryFilter(
        by=text("by"), kind=text("kind"), before=number("before", highest=MAX_VERSION)
    )


def page_of(happened: Sequence[HistoryEntry], asked: HistoryFilter) -> HistoryPage:
    """Return the page that is *asked* for of what has *happened*, oldest first."""
    found = [one for one in happened if asked.holds_for(one)]
    shown = found[-MAX_SHOWN:]
    occurring = {kind for one in happened for kind in one.kinds}
    return HistoryPage(
        asked=asked,
        shown=shown,
        people=sorted({one.line.actor for one in happened if one.line.actor}),
        kinds=[kind for kind in KINDS if kind in occurring],
        earlier=shown[0].line.version if len(found) > len(shown) else None,
    )


def with_changes(
    page: HistoryPage, changed: Mapping[int, Sequence[FieldChange]]
) -> HistoryPage:
    """Return *page* with what its events changed, by their versions."""
    shown = [
        replace(one, changed=changed.get(one.line.version, one.changed))
        for one in page.shown
    ]
    return replace(page, shown=shown)
