"""The table of heartbeats: one row a process, which it overwrites regularly."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from eventstore.tables import metadata

heartbeats = sa.Table(
    "heartbeats",
    metadata,
    # role:host:pid. A later process with the same pid takes over the row; one of
    # another role cannot.
    sa.Column("process", sa.String, primary_key=True),
    # web, worker, beat, relay.
    sa.Column("role", sa.String, nullable=False),
    sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("beat_at", sa.TIMESTAMP(timezone=True), nullable=False),
    # Whether it takes messages that name commands.
    sa.Column("serves_commands", sa.Boolean, nullable=False),
    # What else an operator wants to see, like the state of its breaker.
    sa.Column("detail", JSONB, nullable=False, server_default="{}"),
    # Numbers of commands: the last drawn before this beat; the highest whose message it
    # had, at this beat and at the one before; and the number up to which no message can
    # be on its way to it any more.
    sa.Column("drawn", sa.BigInteger),
    sa.Column("received_up_to", sa.BigInteger),
    sa.Column("received_before", sa.BigInteger),
    sa.Column("passed_up_to", sa.BigInteger),
    # A row is written twice a second: updates stay on its page and out of the index.
    postgresql_with={"fillfactor": "50"},
)
