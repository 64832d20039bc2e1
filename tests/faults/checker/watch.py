"""Watching the tables while a load runs: what may never go back, and never change."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from tests.faults.checker.verdict import Verdict

FORWARD = "checkpoints never go back"
UNCHANGED = "what is behind a checkpoint never changes"
FREED = "who holds a stream and stands still does not keep it"

READERS = """
    SELECT
        s.name, s.checkpoint,
        -- One that is refused has read nothing of what it stands behind.
        checkpoint_fault(s.checkpoint, s.event_id) IS NULL
    FROM subscriptions AS s
    WHERE (
        s.name IN (SELECT name FROM process_managers)
        OR s.name IN (SELECT read_model || '_g' || live FROM generations)
    )
"""
HASH = """
    SELECT
        count(*),
        coalesce(md5(string_agg(
            md5(ROW(
                id, stream_id, type, version, data, metadata,
                occurred_at AT TIME ZONE 'UTC'
            )::text),
            '' ORDER BY id
        )), '')
    FROM events WHERE id > %s AND id <= %s
"""


SILENT = """
    SELECT a.pid, a.state_change::text
    FROM pg_locks AS l
    JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory'
        -- A key of one bigint, in which the kind of lock stands above 48 bits.
        AND l.objsubid = 1
        AND (l.classid::bigint >> 16) & 3 = 2
        AND a.state = 'idle'
        AND a.state_change < clock_timestamp() - make_interval(secs => %s)
"""


class Stretch(NamedTuple):
    """Events that were behind a checkpoint, and a hash of them."""

    after: int
    up_to: int
    events: int
    hash: str


@dataclass
class Watch:
    """
    Samples of a log and of its readers: call `sample` now and then, `verdict` at last.

    A reader has all that is behind its checkpoint: nothing there may change any more,
    and nothing may come in.
    """

    connection: psycopg.Connection[Any]
    checkpoints: dict[str, int] = field(default_factory=dict)
    samples: int = 0
    went_back: list[str] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    patience: float = 6.0
    """Seconds for which a session may be silent while it holds a stream."""
    silent: set[tuple[int, str]] = field(default_factory=set)
    kept: set[tuple[int, str]] = field(default_factory=set)

    def sample(self) -> None:
        """
        Look where all readers are, and at the events that they have read since.

        And at those who hold a stream and are silent: what is seen twice is no server
        that has slept itself.
        """
        self.samples += 1
        before_now = self.silent
        self.silent = set(self.connection.execute(SILENT, (self.patience,)).fetchall())
        self.kept |= self.silent & before_now
        for name, checkpoint, is_read in self.connection.execute(READERS).fetchall():
            before = self.checkpoints.get(name, 0)
            if checkpoint < before:
                self.went_back.append(f"{name}: from {before} to {checkpoint}")
            if is_read:
                self.checkpoints[name] = checkpoint
        after = self.stretches[-1].up_to if self.stretches else 0
        up_to = max(self.checkpoints.values(), default=0)
        if up_to > after:
            self.stretches.append(self.stretch(after, up_to))

    def stretch(self, after: int, up_to: int) -> Stretch:
        row = self.connection.execute(HASH, (after, up_to)).fetchone()
        assert row is not None
        return Stretch(after, up_to, *row)

    def verdict(self) -> Verdict:
        """Look at all that was seen once more, and return what is not as it was."""
        verdict = Verdict()
        verdict.note(FORWARD, self.samples, self.went_back)
        verdict.note(
            FREED,
            self.samples,
            (f"session {pid}, silent since {since}" for pid, since in self.kept),
        )
        verdict.note(
            UNCHANGED,
            sum(stretch.events for stretch in self.stretches),
            (
                f"positions {s.after + 1} to {s.up_to}"
                for s in self.stretches
                if self.stretch(s.after, s.up_to) != s
            ),
        )
        return verdict
