"""All that can be asked of a log, in the order in which it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.seals.export import ExportedSeal
from eventstore.verifying.collations import collations_check
from eventstore.verifying.event_contents import contents_check
from eventstore.verifying.exported_seals import against_check
from eventstore.verifying.finding import Check
from eventstore.verifying.ids import ids_check
from eventstore.verifying.journal import journal_checks
from eventstore.verifying.seals import SealedExtent, sealed_up_to, seals_check
from eventstore.verifying.snapshots import snapshots_check
from eventstore.verifying.streams import streams_check


def all_checks(
    deciders: Deciders,
    vouching: SealedExtent,
    *,
    exported: Sequence[ExportedSeal] = (),
    is_all: bool = False,
    is_journaled: bool = False,
) -> list[Check]:
    """
    Return the checks; *vouching* tells afterwards how far the seals vouch.

    With *is_all* every snapshot is replayed, without it a sample. *is_journaled* says
    that every event was caused by a command of the journal, or was imported: then one
    that was not is a finding, and so is one whose id is another than follows from that.
    """
    return [
        seals_check(vouching),
        *([against_check(exported, vouching)] if exported else []),
        collations_check(),
        streams_check(),
        contents_check(deciders),
        *journal_checks(is_journaled=is_journaled),
        *([ids_check()] if is_journaled else []),
        snapshots_check(deciders, is_all=is_all),
    ]


def checks_of_a_copy(deciders: Deciders) -> list[Check]:
    """
    Return what a copied log must hold, regardless of who wrote its events.

    What nobody can read, or what was put in by hand, is in the copy as it was in the
    original: `all_checks` finds it there.
    """
    return [
        seals_check(SealedExtent()),
        streams_check(),
        *journal_checks(is_journaled=False),
        snapshots_check(deciders, is_all=True),
    ]


@dataclass(frozen=True, slots=True)
class UnsealedTail:
    """What no seal vouches for yet: *count* events behind *after*."""

    after: int
    count: int


def count_unsealed(connection: psycopg.Connection[Any]) -> UnsealedTail:
    """Return how many events are behind the newest seal."""
    after = sealed_up_to(connection)
    row = connection.execute(
        "SELECT count(*) FROM public.events WHERE id > %s", (after,)
    ).fetchone()
    return UnsealedTail(after, row[0] if row else 0)
