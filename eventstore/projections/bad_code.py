"""
Tell bad code from a bad event, before anything is parked.

One event that cannot be projected parks its stream. If the code is at fault, it would
park them all: so a few other streams are folded once more with the same code. Where
they fail in the same way, nothing is parked, and the read model stops and says so.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CannotProject, TooIntertwined
from eventstore.projections.failures import Failure
from eventstore.projections.parked_streams import find_kinds, kind_of_error
from eventstore.projections.projection import Projection
from eventstore.projections.recompute import Recomputation
from eventstore.projections.tables import Tables

STREAMS = 200
"""The last streams that were written to: by more than half of them code is bad."""
MIN_FAILING = 3
"""With fewer streams that fail nobody can tell."""
MAX_TRIED = 20
"""So many others are folded once more."""
MAX_EVENTS = 2_000
"""Events that are read for it at most: the checkpoint is held meanwhile."""
SPAN = 50_000
"""Positions in which the last streams are looked for."""


@dataclass(frozen=True, slots=True)
class Trial:
    """
    Tries whether code is bad, for one read model.

    *check* raises CannotProject for failures that are no event's fault.
    """

    connection: psycopg.Connection[Any]
    projection: Projection
    tables: Tables
    masters: MasterKeys | None
    check: Callable[[Sequence[Failure]], None]

    def refuse_bad_code(self, failures: Sequence[Failure]) -> None:
        """
        Raise CannotProject for the first of *failures* where the code is at fault.

        That is so if three streams and more than half of the last 200 fail with the
        same class of error in the same line: as far as they are parked, are among
        *failures*, or, of 20 others, fail when they are folded.
        """
        own = [failure for failure in failures if failure.because_of is None]
        if not own:
            return
        up_to = max(failure.position for failure in own)
        recent = self.find_recent_streams(up_to)
        failing = {failure.stream_id: kind_of_error(failure.error) for failure in own}
        known = find_kinds(self.connection, self.tables.name, recent) | {
            stream_id: kind
            for stream_id, kind in failing.items()
            if stream_id in recent
        }
        others = [stream_id for stream_id in recent if stream_id not in known]
        tried, kinds = self.fold_others(others[:MAX_TRIED], up_to)
        counted = Counter(known.values())
        for failure in own:
            kind = failing[failure.stream_id]
            in_others = len(others) * kinds[kind] / max(tried, 1)
            number = counted[kind] + in_others
            if number * 2 > len(recent) and number >= MIN_FAILING:
                raise CannotProject(failure.position, failure.error) from failure.error

    def fold_others(
        self, streams: Sequence[str], up_to: int
    ) -> tuple[int, Counter[tuple[str, str]]]:
        """
        Fold streams alone; return how many, and how many fail in which way.

        Those that need too many events are left out: all at once are tried first.
        """
        try:
            return len(streams), self.fold(streams, up_to, MAX_EVENTS)
        except TooIntertwined:
            tried, kinds = 0, Counter[tuple[str, str]]()
        for stream_id in streams:
            with suppress(TooIntertwined):
                kinds += self.fold([stream_id], up_to, MAX_EVENTS // MAX_TRIED)
                tried += 1
        return tried, kinds

    def fold(
        self, streams: Sequence[str], up_to: int, most: int
    ) -> Counter[tuple[str, str]]:
        if not streams:
            return Counter()
        trial = Recomputation(
            self.connection, self.projection, self.tables, self.masters, up_to, most
        )
        failures = trial.run(set(streams), {}).failures
        self.check(failures)
        return Counter(
            kind_of_error(one.error) for one in failures if one.stream_id in streams
        )

    def find_recent_streams(self, up_to: int) -> list[str]:
        """Return the streams of the projection's last events, the latest first."""
        rows = self.connection.execute(
            """
            SELECT stream_id FROM public.events
            WHERE id > %s AND id <= %s AND type = ANY (%s)
            ORDER BY id DESC LIMIT %s
            """,
            (up_to - SPAN, up_to, list(self.projection.types), STREAMS * 10),
        )
        return list(dict.fromkeys(stream_id for (stream_id,) in rows))[:STREAMS]
