"""The position that a pass has read up to, noted for what is written in it."""

from eventstore.steps import Statement

SETTING = "recount.read_up_to"
"""A setting of the transaction, for triggers: the checkpoint is moved after them."""


def note_position(position: int) -> Statement:
    """Return the statement that notes *position* until the transaction ends."""
    return Statement(
        b"SELECT pg_catalog.set_config('recount.read_up_to', %s, true)",
        (str(position),),
    )
