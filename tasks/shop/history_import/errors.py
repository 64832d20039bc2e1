"""
Why an import is refused.

ImportRefused
├── UnusableFile          a file is missing, or is no CSV of the columns expected
├── StreamsUsedOtherwise  streams of the plan have events that are not the plan's
└── NumbersHeld           a transaction that does not end keeps a sequence of numbers
"""

from collections.abc import Mapping


class ImportRefused(Exception):
    """The root; *details* are further lines, one a particular."""

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        self.details = details
        super().__init__(message)


class UnusableFile(ImportRefused):
    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}")


class StreamsUsedOtherwise(ImportRefused):
    """Streams have other events than planned; *reasons* says which, by stream."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = reasons
        count = "a stream is" if len(reasons) == 1 else f"{len(reasons):,} streams are"
        super().__init__(
            f"{count} used otherwise",
            tuple(f"{stream_id} {reason}" for stream_id, reason in reasons.items()),
        )


class NumbersHeld(ImportRefused):
    """A transaction that does not end holds the sequence of the numbers."""

    def __init__(self) -> None:
        super().__init__(
            "the numbers of orders, customers or products are held by a transaction"
            " that does not end; run it again"
        )
