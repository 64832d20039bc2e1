"""Where each reader of the log stands, and whether one has been signalled."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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
    # How often it was tried in vain, and before when it is not tried with the others.
    sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("next_try_at", sa.TIMESTAMP(timezone=True)),
    # A dozen rows that are written a hundred times a second: room for it in each page.
    postgresql_with={"fillfactor": "10"},
)

passes = sa.Table(
    "passes",
    metadata,
    # The session, by its process in PostgreSQL, and which subscriptions it reads.
    sa.Column("pid", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("names", ARRAY(sa.String), nullable=False),
    # Whether one of them is read alone, as it may have ended another process.
    sa.Column("is_trial", sa.Boolean, nullable=False, server_default=sa.text("false")),
    # After a crash of the server no reader is one that ended its process.
    prefixes=["UNLOGGED"],
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

parked_streams = sa.Table(
    "parked_streams",
    metadata,
    # Whose checkpoint passed over it, and which stream.
    sa.Column("subscription", sa.String, primary_key=True),
    sa.Column("stream_id", sa.String, primary_key=True),
    # Its first event that was not handled; all behind it are not, either.
    sa.Column("position", sa.BigInteger, nullable=False),
    # The class of the error and the line that raised it, never its text, which may name
    # a person.
    sa.Column("error", sa.String, nullable=False),
    sa.Column("line", sa.String, nullable=False),
    # The parked stream without which this one cannot be tried.
    sa.Column("because_of", sa.String),
    sa.Column(
        "since",
        sa.TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("1")),
    # When an operator has decided to leave it out for good.
    sa.Column("dropped_at", sa.TIMESTAMP(timezone=True)),
)

signals = sa.Table(
    "signals",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    # Losing a signal costs nothing, so it needs no write-ahead log.
    prefixes=["UNLOGGED"],
)
