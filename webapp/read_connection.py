"""
Lend queries a connection when the read model is new enough, so writers see their work.

The requested position is the highest of `min_position` in the address and, on pages,
that of this browser's own commands. A query waits for it briefly; after that the
answer has older rows, and says how far they are behind.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from flask import g

from eventstore.journal.undecided_commands import find_undecided
from eventstore.projections.freshness import Freshness
from eventstore.projections.projection import Projection
from eventstore.subscriptions.standstill import AFTER
from webapp.answering_store import note_store
from webapp.journal_source import ask_journal
from webapp.outages import DATABASE_ERRORS
from webapp.past.lending import lend_past
from webapp.past.moment_asked import moment_shown
from webapp.position_asked import is_asked_to_show
from webapp.read_source import CUT_OFF, lend_primary, lend_source


@contextmanager
def reading(*projections: Projection) -> Iterator[tuple[sa.Connection, Freshness]]:
    """
    Lend a query a connection, with the freshness of its read models.

    The connection is in autocommit: rows are at least as new as that position. What a
    posted form needs is asked of the shop's own database. Where the request asks for a
    moment, its rows are those of copies.
    """
    past = moment_shown()
    if past is not None:
        lent = lend_past(projections, past)
    elif is_asked_to_show():
        lent = lend_source(projections)
    else:
        lent = lend_primary(projections)
    with lent as found:
        if is_asked_to_show():
            for projection, place in zip(projections, found.reached, strict=True):
                note_behind(projection, place)
        if found.cut_off is not None:
            g.cut_off = found.cut_off
        for projection, place in zip(projections, found.reached, strict=True):
            note_old_rows(projection.name, place)
        g.has_journal = found.has_everything
        place = least(found.reached)
        note_store(found.name, place.reached)
        yield found.connection, place


def note_behind(projection: Projection, place: Freshness) -> None:
    """Have the page say how far a read model is behind, and what is left out of it."""
    if place.passed_over is None:
        g.behind = max(g.get("behind", 0), place.behind)
    else:
        g.passed_over = place.passed_over
    omission = place.parked.get(projection.name)
    # No row of it can be marked.
    if omission is not None and omission.number and not projection.streams:
        g.setdefault("left_out", {})[projection.name] = omission


def note_old_rows(name: str, place: Freshness) -> None:
    """Have the page say that rows of the read model *name* are old, if they are."""
    if place.standstill is not None and place.standstill.because == CUT_OFF:
        # Said once, of all that the page shows.
        return
    if place.standstill is not None:
        g.setdefault("standstills", {})[name] = place
    elif (place.seconds_behind or 0) >= AFTER.total_seconds():
        g.setdefault("laggards", {})[name] = place


def least(reached: Sequence[Freshness]) -> Freshness:
    """Return the freshness of rows made of all these read models: the lowest."""
    return Freshness(
        min(place.reached for place in reached),
        max(place.behind for place in reached),
        next((p.standstill for p in reached if p.standstill is not None), None),
        parked={name: what for p in reached for name, what in p.parked.items()},
        passed_over=next(
            (p.passed_over for p in reached if p.passed_over is not None), None
        ),
    )


def tell_undecided(connection: sa.Connection, stream_id: str) -> None:
    """
    Have the page name the undecidable command of a stream, if there is one.

    It is asked on *connection*, lent by `reading`, or of the shop's own database if the
    read models alone are there; if that is away, it is not told.
    """
    if moment_shown() is not None:
        return
    if g.get("has_journal", True):
        g.undecided = find_undecided(connection, stream_id=stream_id, most=1)
        return
    with suppress(*DATABASE_ERRORS):
        g.undecided = ask_journal(
            lambda own: find_undecided(own, stream_id=stream_id, most=1), notes=False
        )
