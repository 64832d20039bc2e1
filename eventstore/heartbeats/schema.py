"""The heartbeats: one row a process, which it writes over, again and again."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from eventstore.tables import metadata

heartbeats = sa.Table(
    "heartbeats",
    metadata,
    # role:host:pid. A later process that gets the pid takes the row over; one of
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
    # Numbers of commands: the last that was drawn by this beat; the highest of which it
    # got the message, by this beat and by the one before; and up to which no message
    # can be on its way to it any more.
    sa.Column("drawn", sa.BigInteger),
    sa.Column("received_up_to", sa.BigInteger),
    sa.Column("received_before", sa.BigInteger),
    sa.Column("passed_up_to", sa.BigInteger),
    # A row is written twice a second: kept on its page and out of the index.
    postgresql_with={"fillfactor": "50"},
)
