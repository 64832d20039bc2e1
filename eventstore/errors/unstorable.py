"""Errors of data refused before they are sent: too large, or not storable."""

from eventstore.errors import EventStoreError
from eventstore.errors.text import shorten


class Unstorable(EventStoreError):
    """The root of errors raised before sending; repeating the call is no use."""


class BadStreamId(Unstorable):
    """A stream's id is not like `order-10248`, or is too long."""

    def __init__(self, stream_id: str, longest: int) -> None:
        super().__init__(
            f"{shorten(stream_id)} is no stream: expected a category of small"
            " letters, digits and _, a hyphen, and an id without control characters,"
            f" like order-10248, at most {longest} characters."
        )


class BadTypeName(Unstorable):
    """The name of a type is empty, too long, or has control characters."""

    def __init__(self, event_type: str, longest: int) -> None:
        super().__init__(
            f"{shorten(event_type)} is no type of event: expected 1 to {longest}"
            " characters, none of them a control character."
        )


class TooLarge(Unstorable):
    """The data or the metadata of an event have too many bytes."""

    def __init__(self, part: str, event_type: str, size: int, most: int) -> None:
        super().__init__(
            f"The {part} of an event of type {event_type} has {size:,} bytes as JSON,"
            f" at most {most:,} are kept."
        )


class TooManyEvents(Unstorable):
    """One append has more events than it may: split it."""

    def __init__(self, count: int, most: int) -> None:
        super().__init__(
            f"One append has {count:,} events, at most {most:,} may be: split it."
        )


class TooManyStreams(Unstorable):
    """One bulk append names more streams than it may: split it."""

    def __init__(self, count: int, most: int) -> None:
        super().__init__(
            f"One append names {count:,} streams, at most {most:,} may be: split it."
        )


class TooManyBytes(Unstorable):
    """The events of one bulk append are larger than they may be: split it."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(
            f"The events of one append have {size:,} bytes, at most {most:,} may be:"
            " split it."
        )


class UnstorableText(Unstorable):
    """A text has a NUL or a lone surrogate, which PostgreSQL does not store."""

    def __init__(self, part: str, event_type: str) -> None:
        super().__init__(
            f"The {part} of an event of type {event_type} has a NUL or half a"
            " character, which PostgreSQL does not store."
        )


class NotANumber(Unstorable):
    """A number is NaN or infinite, which JSON does not have."""

    def __init__(self, place: str, kind: str) -> None:
        super().__init__(f"{place} of {kind} is no number: NaN, or infinite.")
