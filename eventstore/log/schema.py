"""The table of the log: seven columns, appended to and never changed."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from eventstore.tables import metadata

events = sa.Table(
    "events",
    metadata,
    # ALWAYS: an id is drawn, after the fence is taken. To choose one takes OVERRIDING
    # SYSTEM VALUE, or a COPY that names the column: nobody does, readers would skip it.
    # The cache of one matters: a session that keeps ids back draws below its own floor.
    sa.Column("id", sa.BigInteger, sa.Identity(always=True, cache=1), primary_key=True),
    sa.Column("stream_id", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("data", JSONB, nullable=False),
    sa.Column("metadata", JSONB, nullable=False),
    sa.Column("occurred_at", sa.TIMESTAMP(timezone=True), nullable=False),
    # Two writers that both read version 6 cannot both write version 7.
    sa.UniqueConstraint("stream_id", "version"),
    # Versions count from 1; 0 is an empty stream.
    sa.CheckConstraint("version > 0", name="version"),
)
