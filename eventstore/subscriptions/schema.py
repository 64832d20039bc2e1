"""Where each reader of the log stands, and whether one has been signalled."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from eventstore.tables import metadata

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("checkpoint", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column(
        "moved_at",
        sa.TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
    # The event that could not be handled, and why; NULL while it flows.
    sa.Column("stopped_at_position", sa.BigInteger),
    sa.Column("error", JSONB),
    # Of the last event at the checkpoint or before it: which log it is a place of.
    sa.Column("event_id", sa.String),
    # Since when it stands still with that error.
    sa.Column("stopped_since", sa.TIMESTAMP(timezone=True)),
)

process_managers = sa.Table(
    "process_managers",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    # Never less: an event that was acted on is passed over, wherever its checkpoint is.
    sa.Column("acted_up_to", sa.BigInteger, nullable=False),
    # As beside a checkpoint: what it says was acted on was acted on in this log.
    sa.Column("event_id", sa.String),
)

signals = sa.Table(
    "signals",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    # Losing a signal costs nothing, so it needs no write-ahead log.
    prefixes=["UNLOGGED"],
)
