"""The errors of read stores: other servers with copies of read models."""

from eventstore.errors import EventStoreError


class StoreAway(EventStoreError):
    """
    A store gave no answer, or one that says to try again.

    *store* is its name, *because* the reason as text in one line.
    """

    def __init__(self, store: str, because: str) -> None:
        self.store = store
        self.because = because
        super().__init__(f"The store {store} gave no answer: {because}")


class Unanswerable(StoreAway):
    """A store answers, but not this question: it is too much for it, or too new."""


class OutdatedWriter(EventStoreError):
    """Another writer has taken over the copies of a read model in a store."""

    def __init__(self, store: str, read_model: str) -> None:
        super().__init__(
            f"Another process writes the copies of {read_model} in the store {store}"
        )


class CopyMoved(EventStoreError):
    """
    A copy's checkpoint is not the one that its writer stored last.

    The store was emptied, or restored from an older backup, or another process writes.
    """

    def __init__(self, store: str, copy: str) -> None:
        super().__init__(
            f"The copy {copy} in the store {store} is not as this writer left it"
        )
