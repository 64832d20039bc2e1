"""The errors of following the changes of a read model."""

from eventstore.errors import EventStoreError


class NotFollowed(EventStoreError):
    """The changes of a read model are not kept."""

    def __init__(self, read_model: str) -> None:
        super().__init__(
            f"The changes of {read_model} are not kept: recount readmodels follow"
            f" {read_model}"
        )


class ChangesBegunAgain(EventStoreError):
    """
    A cursor is of other changes than those that are kept now.

    The read model was rebuilt, or its changes were dropped meanwhile. *generation* is
    the number of the live one, *epoch* the UUID of its changes.
    """

    def __init__(self, read_model: str, epoch: str, generation: int) -> None:
        self.epoch = epoch
        self.generation = generation
        super().__init__(
            f"The changes of {read_model} were begun again, with the generation"
            f" {generation}: take them from the first."
        )
