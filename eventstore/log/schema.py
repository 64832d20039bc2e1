"""
The table of the log: seven columns, appended to and never changed.

Also the tables of claims, snapshots and seals.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from eventstore.tables import metadata

events = sa.Table(
    "events",
    metadata,
    # ALWAYS: an id is drawn, after the fence is taken. Never choose one (by OVERRIDING
    # SYSTEM VALUE, or a COPY that names the column): readers would skip it. The cache
    # must be one: a session with cached ids would use ids below its own floor.
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
    # The append pays for each index. Measured as time of PostgreSQL's process for an
    # event, of a hundred to as many streams, on a log of a million: 22 us without any,
    # and what is added. None is by category or by type (2.6 and 4.0 us): scanning such
    # a log takes a second, and they did not make that shorter.
    # One event by its id. 7.7 us (17 us as text, 15 us as a hash).
    sa.Index("events_event_id_idx", sa.text("((metadata ->> 'event_id')::uuid)")),
    # The effects of a command or an event. 7.4 us.
    sa.Index(
        "events_causation_id_idx", sa.text("((metadata ->> 'causation_id')::uuid)")
    ),
    # A conversation. Effects of its first message are found by the index above, without
    # an entry here: most conversations have no others. 1.2 us (10 us without WHERE).
    sa.Index(
        "events_correlation_id_idx",
        sa.text("((metadata ->> 'correlation_id')::uuid)"),
        postgresql_where=sa.text(
            "metadata ->> 'correlation_id' <> metadata ->> 'causation_id'"
        ),
    ),
)

# Claimed and released by the append, in the transaction of the events.
unique_claims = sa.Table(
    "unique_claims",
    metadata,
    # The kind of value, such as the e-mail address of a customer.
    sa.Column("scope", sa.String, primary_key=True),
    # Never the value itself, which would outlast forgetting its owner. Keyed, since
    # addresses can be guessed and tried.
    sa.Column("keyed_hash", sa.LargeBinary, primary_key=True),
    # The owner: no other stream may claim the value until this one releases it.
    sa.Column("stream_id", sa.String, nullable=False),
)

# A cache: all rows may be deleted at any time.
snapshots = sa.Table(
    "snapshots",
    metadata,
    # One a stream, the newest.
    sa.Column("stream_id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", JSONB, nullable=False),
    # A hash of the state's class and the code that made it; others are ignored.
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("checksum", sa.String, nullable=False),
    # Its last event. A log that was restored to before it, and then continued, has
    # another one there.
    sa.Column("event_id", sa.String),
    sa.Column(
        "taken_at",
        sa.TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
    # How often a snapshot of this stream was ignored, including replaced ones.
    sa.Column("ignored", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("ignored_because", sa.String),
    sa.Column("ignored_at", sa.TIMESTAMP(timezone=True)),
    # An empty stream has no snapshot.
    sa.CheckConstraint("version > 0", name="version"),
)

# A chain over the log, as append-only as that: docs/seals.md has its form.
seals = sa.Table(
    "seals",
    metadata,
    # From 0, which names the log and seals nothing.
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    # The stretch: the positions behind *after*, up to and with *up_to*.
    sa.Column("after", sa.BigInteger, nullable=False),
    sa.Column("up_to", sa.BigInteger, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    # The sealed form of each event, so that a changed one can be named.
    sa.Column("imprint", sa.LargeBinary, nullable=False),
    # The hash of the seal before.
    sa.Column("previous", sa.LargeBinary, nullable=False),
    sa.Column("sealed_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    # A stretch does not end before it begins, and has no more events than positions.
    sa.CheckConstraint("count BETWEEN 0 AND up_to - after", name="stretch"),
    # The hashed form is unambiguous because a hash has a fixed length.
    sa.CheckConstraint("octet_length(previous) = 32", name="previous"),
)
