"""The course of a rebuild: fill, compare, index, swap."""

import time
from collections.abc import Callable
from typing import Any

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import RebuildFailed
from eventstore.log.read import settled
from eventstore.projections.generations import (
    LiveGeneration,
    drop_generation,
    live_generations,
)
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA
from eventstore.projections.tables import name_of, tables_of
from eventstore.rebuilding.comparing import (
    Comparison,
    LiveRowsAway,
    LiveRowsStuck,
    compare,
)
from eventstore.rebuilding.filling import (
    filling_of,
    find_checkpoints,
    merge,
    read_up_to,
)
from eventstore.rebuilding.fillings import (
    Begun,
    note_differing,
    note_progress,
    note_seconds,
    share_after,
)
from eventstore.rebuilding.indexing import analyze, index
from eventstore.rebuilding.parts import Part
from eventstore.rebuilding.processes import Connect, fill_in_processes
from eventstore.rebuilding.progress import (
    SHARE_AFTER,
    Estimate,
    Phase,
    Progress,
    count_events,
)
from eventstore.rebuilding.refusing import refusal_of
from eventstore.rebuilding.result import Rebuilt
from eventstore.rebuilding.swapping import Swap, drop_old
from eventstore.subscriptions.subscription import Subscription

SECONDS_BETWEEN_NOTES = 1.0
MIN_SHARE_READ = 0.5
"""What the live rows have read of the log, if they are worth comparing."""
FEW = 500
"""Positions that are read in one breath, while the live rows wait."""

Show = Callable[[Progress], None]
Report = Callable[[Comparison], None]


class Rebuild:
    """One rebuild: its sessions, and what is shown of it."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        projection: Projection,
        connect: Connect,
        masters: MasterKeys | None,
        parker: Parker | None,
        show: Show,
        report: Report,
    ) -> None:
        self.connection = connection
        self.projection = projection
        self.connect = connect
        self.masters = masters
        self.parker = parker
        self.show = show
        self.report = report
        self.live = self.find_live()
        # Why the live rows cannot be compared yet.
        self.behind: str | None = None
        self.why_not = self.why_not_compared()
        self.shown = Progress("filling", 0, 0)
        self.noted_at = float("-inf")
        self.is_over = False

    def find_live(self) -> LiveGeneration | None:
        """Return the live generation, if its table is there."""
        live = live_generations(self.connection).get(self.projection.name)
        if live is None:
            return None
        name = tables_of(self.projection, live.number).rows.name
        found = self.connection.execute(
            "SELECT FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = %s",
            (SCHEMA, name),
        )
        return live if found.rowcount else None

    @property
    def live_name(self) -> str | None:
        if self.live is None:
            return None
        return name_of(self.projection.name, self.live.number)

    def run(self, begun: Begun, accepted: int | None, *, is_dry_run: bool) -> Rebuilt:
        """
        Fill, compare and swap.

        Raises RowsDiffer, RowsNotCompared and RebuildFailed.
        """
        started = time.monotonic()
        number = begun.parts[0].generation
        self.name = name_of(self.projection.name, number)
        subscription = self.fill(begun)
        filled = time.monotonic()
        note_seconds(self.connection, self.name, filled=filled - started)
        self.turn_to("comparing")
        analyze(self.connection, self.projection, number)
        comparison, why_not = self.compare(subscription, number)
        if comparison is not None:
            self.report(comparison)
        refusal = self.refusal_of(comparison, accepted)
        if is_dry_run:
            position = find_checkpoints(self.connection, [self.name])[self.name]
            # What an earlier one has promised to keep is kept.
            if not begun.is_resumed:
                with self.connection.transaction():
                    drop_generation(self.connection, self.projection.name, number)
            self.is_over = True
            return Rebuilt(
                generation=number,
                position=position,
                is_live=False,
                seconds=time.monotonic() - started,
                comparison=comparison,
                not_compared=why_not,
                is_kept=begun.is_resumed,
                refusal=refusal,
            )
        if comparison is not None:
            note_differing(self.connection, self.name, comparison.differing)
        if refusal is not None:
            raise refusal
        # What the live rows had not read, if they stand still.
        goal = settled(self.connection)
        read_up_to(self.connection, subscription, goal, lambda _: self.tell(self.shown))
        self.turn_to("indexing")
        index(self.connection, self.projection, number)
        swap = Swap(self.connection, self.projection, subscription, number, number)
        self.turn_to("swapping")
        position = swap.run(lambda _: self.tell(self.shown))
        self.is_over = True
        ended = time.monotonic()
        note_seconds(self.connection, self.name, after=ended - filled)
        drop_old(self.connection, self.projection, number)
        return Rebuilt(
            generation=number,
            position=position,
            seconds=ended - started,
            seconds_of_swap=swap.seconds,
            swaps_tried=swap.tried,
            comparison=comparison,
            not_compared=why_not,
        )

    def fill(self, begun: Begun) -> Subscription:
        """Read all parts up to where the live rows are; return what reads on."""
        parts = begun.parts
        number = parts[0].generation
        if begun.is_merged:
            # It stays noted: after the next kill, too.
            self.shown = Progress("comparing", 0, 0)
        goal = self.find_goal()
        counts = count_events(self.connection, self.projection, goal)
        share = share_after(self.connection, self.projection.name)
        places = find_checkpoints(self.connection, [part.name for part in parts])
        estimate = Estimate(
            counts,
            sum(map(counts.up_to, places.values())) / len(places),
            SHARE_AFTER if share is None else share,
        )

        def show(position: float) -> None:
            progress = estimate.progress(counts.up_to(position))
            # Where parts have met, the rest is a part of comparing.
            self.tell(progress._replace(phase=self.shown.phase))

        if len(parts) > 1:
            # Where they meet, none may have read more than another.
            goal = max(goal, *places.values())
            fill_in_processes(
                self.connection,
                self.connect,
                parts,
                goal,
                show,
                masters=self.masters,
                live=self.live_name,
            )
            merge(self.connection, parts, goal)
            self.turn_to("comparing")
        whole = Part(self.projection, number)
        subscription = filling_of(whole, self.masters, self.parker)
        reached = read_up_to(self.connection, subscription, goal, show, self.live_name)
        # More has come meanwhile; the last is read while the live rows are held.
        while (goal := self.find_goal()) > reached + FEW:
            reached = read_up_to(
                self.connection, subscription, goal, show, self.live_name
            )
        self.tell(Progress(self.shown.phase, counts.total, counts.total))
        return subscription

    def find_goal(self) -> int:
        """Return the position of the live rows, or what is settled without them."""
        goal = settled(self.connection)
        if self.why_not is not None or self.live_name is None:
            return goal
        places = find_checkpoints(self.connection, [self.live_name])
        return min(goal, places.get(self.live_name, goal))

    def why_not_compared(self) -> str | None:
        """Return why the live rows are none to compare with, or None."""
        if self.live is None or self.live_name is None:
            return "there were no rows"
        if self.live.shape is None:
            return "nobody knows what the live rows were made of"
        places = find_checkpoints(self.connection, [self.live_name])
        end, reached = settled(self.connection), places.get(self.live_name, 0)
        if not reached and end:
            # Of a history that was just loaded: a rebuild is the fastest beginning.
            return "the live rows have read nothing yet"
        if reached < end * MIN_SHARE_READ:
            self.behind = (
                f"the live rows are at position {reached:,}, far behind {end:,}"
            )
        return self.behind

    def refusal_of(
        self, comparison: Comparison | None, accepted: int | None
    ) -> RebuildFailed | None:
        """Return why the new rows may not be put live, by what is known so far."""
        return refusal_of(self.projection, self.live, comparison, self.behind, accepted)

    def compare(
        self, subscription: Subscription, number: int
    ) -> tuple[Comparison | None, str | None]:
        """Return what differs from the live rows, or why nothing is compared."""
        if self.live is None or self.why_not is not None:
            return None, self.why_not
        try:
            with self.connect() as other:
                comparison = compare(
                    self.connection,
                    other,
                    self.projection,
                    subscription,
                    number,
                    self.live,
                )
        except LiveRowsAway as error:
            self.behind = str(error) if isinstance(error, LiveRowsStuck) else None
            return None, str(error)
        return comparison, None

    def turn_to(self, phase: Phase) -> None:
        self.tell(self.shown._replace(phase=phase, seconds_left=None), is_turn=True)

    def tell(self, progress: Progress, *, is_turn: bool = False) -> None:
        """Show the progress, and note it once a second."""
        self.shown = progress
        self.show(progress)
        if is_turn or time.monotonic() > self.noted_at + SECONDS_BETWEEN_NOTES:
            self.noted_at = time.monotonic()
            note_progress(self.connection, self.name, progress)
