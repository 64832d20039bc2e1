"""The tables of the journal: accepted commands, their outcomes and incidents."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

from eventstore.tables import metadata

STATUSES = ("accepted", "succeeded", "rejected", "failed", "abandoned", "cancelled")

commands = sa.Table(
    "commands",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.Column("stream_id", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("data", JSONB, nullable=False),
    sa.Column("metadata", JSONB, nullable=False),
    sa.Column("principal", sa.String, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("expected_version", sa.Integer),
    sa.Column("status", sa.String, nullable=False, server_default="accepted"),
    sa.Column(
        "accepted_at",
        sa.TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
    sa.Column("not_before", sa.TIMESTAMP(timezone=True)),
    sa.Column("next_try_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("started_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("conflicts", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("ran_by", sa.String),
    sa.Column("finished_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("position", sa.BigInteger),
    sa.Column("error", JSONB),
    # Of a scheduled one: drawn from the sequence of `seq` when it is found due, and
    # never changed. A command without a time has its `seq` as turn.
    sa.Column("turn", sa.BigInteger),
    # The start of the server under which `started_at` was written. It is compared for
    # equality only: by the clock, a server may have started before it ended.
    sa.Column("marked_under", sa.TIMESTAMP(timezone=True)),
    # A command with a status outside this list would never be run.
    sa.CheckConstraint(
        sa.column("status").in_([sa.literal_column(f"'{s}'") for s in STATUSES]),
        name="status",
    ),
    # Room in each page, so that marking a command stays on its page and out of the
    # indexes.
    postgresql_with={"fillfactor": "80"},
)

TURN = sa.func.coalesce(commands.c.turn, commands.c.seq)
"""The order of a stream's commands, of those for which `HAS_TURN` is true."""
HAS_TURN = sa.or_(commands.c.not_before.is_(None), commands.c.turn.is_not(None))
"""It has a turn, whatever any clock says; a scheduled command gets one when due."""
WAITS = sa.and_(commands.c.status == sa.literal_column("'accepted'"), HAS_TURN)
IS_FOR_LATER = sa.and_(
    commands.c.status == sa.literal_column("'accepted'"),
    commands.c.not_before.is_not(None),
    commands.c.turn.is_(None),
)

# Read by take, release and the relay: the waiting commands of a stream, in order. It
# has few rows however many commands are finished.
sa.Index("commands_waiting_idx", commands.c.stream_id, TURN, postgresql_where=WAITS)
# For operators: the failed commands, the latest first.
sa.Index(
    "commands_failed_idx",
    commands.c.finished_at,
    postgresql_where=commands.c.status == sa.literal_column("'failed'"),
)

# To find due scheduled commands: few of the waiting are scheduled.
sa.Index(
    "commands_scheduled_idx",
    commands.c.not_before,
    commands.c.seq,
    postgresql_where=IS_FOR_LATER,
)
# The same in one stream, for its runner; most streams have none.
sa.Index(
    "commands_scheduled_in_stream_idx",
    commands.c.stream_id,
    commands.c.not_before,
    commands.c.seq,
    postgresql_where=IS_FOR_LATER,
)
# The streams with waiting commands that are not scheduled: the search for work skips
# streams with only future commands.
sa.Index(
    "commands_waiting_streams_idx",
    commands.c.stream_id.collate("C"),
    postgresql_where=WAITS,
)
# Commands caused by a message. Clients' commands have no entry here.
sa.Index(
    "commands_causation_id_idx",
    sa.cast(commands.c.metadata["causation_id"].astext, UUID),
    postgresql_where=sa.text("metadata ? 'causation_id'"),
)
# Lists of commands, the latest first, page by page; and pruning, the oldest first.
sa.Index("commands_seq_idx", commands.c.seq)

command_incidents = sa.Table(
    "command_incidents",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("command_id", UUID, nullable=False),
    # conflict, runner_died, error, …: an event or an operator's action, in one word.
    sa.Column("kind", sa.String, nullable=False),
    sa.Column(
        "at",
        sa.TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
    sa.Column("detail", JSONB, nullable=False, server_default="{}"),
    # The history of one command.
    sa.Index(None, "command_id"),
)

# The times before which finished commands were deleted, an event's perhaps among them.
prunings = sa.Table(
    "prunings",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column(
        "begun_at",
        sa.TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
    sa.Column("finished_before", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("acted_by", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    # The last number of a command at that time: those with a higher one came later.
    sa.Column("after_seq", sa.BigInteger, nullable=False),
)
