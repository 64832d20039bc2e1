"""A stream that is being delivered to a webhook: its event, and what was tried."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from eventstore.log.events import RecordedEvent
from eventstore.personal.keyring import about_of
from tasks.webhooks.attempts import MAX_SECONDS, Result, pause_after
from tasks.webhooks.progress import StreamProgress


@dataclass(slots=True)
class OpenStream:
    """
    A stream, and its first event that is not delivered.

    *has_more* is False if no later event of it was taken up. *sent* counts the messages
    of the event that were delivered, of one that is upcast to several. The next attempt
    is due at *due_at*, by the monotonic clock, and its pause was counted up to
    *counted_at*.
    """

    event: RecordedEvent
    has_more: bool
    progress: StreamProgress
    sent: int = 0
    due_at: float = field(init=False)
    counted_at: float = field(init=False)
    is_under_way: bool = False

    def __post_init__(self) -> None:
        # A sender that was started again waits for what is left of the pause.
        self.counted_at = time.monotonic()
        self.due_at = self.counted_at + self.progress.pause

    def is_due(self, now: float) -> bool:
        return not self.is_under_way and now >= self.due_at

    def count_pause(self, now: float) -> None:
        """
        Count what has passed of the pause, and keep what is left of it.

        So the hour is the time that was waited, and not the clock's: while nobody
        sends, as in a shop that is stopped for the night, no webhook comes nearer to
        its end.
        """
        passed = max(min(now, self.due_at) - self.counted_at, 0.0)
        self.progress.waited += passed
        self.progress.pause = max(self.due_at - now, 0.0)
        self.counted_at = now

    def note_failure(self, result: Result) -> None:
        """Plan the next attempt."""
        known, now = self.progress, time.monotonic()
        self.count_pause(now)
        self.sent += result.sent
        known.tries += 1
        known.error = result.answer.text
        known.since = known.since or datetime.now(UTC)
        known.waited += result.seconds
        if not self.is_over:
            known.pause = pause_after(known.tries, result.answer.retry_after)
            self.due_at = now + known.pause

    @property
    def is_over(self) -> bool:
        """Whether it has been tried for long enough."""
        return self.progress.waited >= MAX_SECONDS


def open_at(event: RecordedEvent, *, has_more: bool) -> OpenStream:
    """Return the stream of an event that was not tried yet."""
    progress = StreamProgress(
        stream=event.stream_id, position=event.position, event_id=about_of(event)
    )
    return OpenStream(event, has_more, progress)
