"""
Why an export is refused.

ExportRefused
├── NoSuchStreams  some streams have no event
├── BadMetadata    an event was not written by the append
└── NotMaskable    the personal fields of an event are unknown
"""

from collections.abc import Sequence

from eventstore.log.events import RecordedEvent


class ExportRefused(Exception):
    """The root."""


class NoSuchStreams(ExportRefused):
    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(f"There is no stream {', '.join(missing)}.")


class BadMetadata(ExportRefused):
    def __init__(self, event: RecordedEvent, reason: object) -> None:
        super().__init__(
            f"The metadata of event {event.version} of {event.stream_id} are not such"
            f" as the append writes: {reason}"
        )


class NotMaskable(ExportRefused):
    def __init__(self, event: RecordedEvent, reason: object) -> None:
        super().__init__(
            f"{event.stream_id} cannot be masked: of its event {event.version}, a"
            f" {event.type}, nobody can say what is personal. {reason}"
        )
