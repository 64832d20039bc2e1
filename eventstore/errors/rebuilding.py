"""Why a filled generation was not put live, or a kept one not put back."""

from eventstore.errors import RebuildFailed


class RowsDiffer(RebuildFailed):
    """
    The new rows of a read model differ from the live ones, in more than was accepted.

    The filled generation is kept, and the next rebuild goes on with it. *name* is the
    read model's name, *differing* how many rows differ. *is_preview* says whether other
    code has made the new ones, None if nobody knows.
    """

    def __init__(self, name: str, differing: int, *, is_preview: bool | None) -> None:
        rows = "1 row differs" if differing == 1 else f"{differing:,} rows differ"
        why = {
            True: "its code has changed",
            False: "the same code had made them",
            None: "by which code they were made is not known",
        }[is_preview]
        super().__init__(
            name,
            f"{rows} from the live ones, and {why}. Look at them; to put the new rows"
            f" live, accept {differing} differences",
        )
        self.name = name
        self.differing = differing
        self.is_preview = is_preview


class NothingKept(RebuildFailed):
    """No generation is kept that could be put back; *reason* says what to do."""


class RowsNotCompared(RebuildFailed):
    """
    The live rows of a read model are there, and too far behind to be compared.

    What was filled is kept, if the filling had begun.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            name,
            f"nothing was compared: {reason}. Wait until they are caught up, or accept"
            " any difference",
        )


class FillingBrokeOff(RebuildFailed):
    """
    A filling has ended, and no event is why: the next one goes on with it.

    One of its processes was killed or lost the database, or another session held its
    checkpoint for long. The sentence *why* says which.
    """

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            name, f"{why}. What was filled is kept, and the next try goes on with it"
        )
        self.why = why


class ViewInUse(RebuildFailed):
    """The view of a read model was never free, so nothing could be put behind it."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(
            name,
            f"its view was not free for {seconds:.0f} s: end the transactions that read"
            " it, and rebuild again",
        )
