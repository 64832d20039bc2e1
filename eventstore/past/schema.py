"""The registry of copies of the past: what each shows, and how far its filling is."""

import sqlalchemy as sa

from eventstore.tables import metadata

MOMENT = sa.TIMESTAMP(timezone=True)

past_copies = sa.Table(
    "past_copies",
    metadata,
    # That of its tables, too: `order_list_at_17`.
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("read_model", sa.String, nullable=False),
    # The definition and the code that it is made with; others need other copies.
    sa.Column("shape", sa.String, nullable=False),
    sa.Column("fold_version", sa.String, nullable=False),
    # The time that it shows; NULL: all events up to the position `up_to`.
    sa.Column("at", MOMENT),
    sa.Column("up_to", sa.BigInteger, nullable=False),
    # What it shows is right for all times up to this one, and no event up to the
    # position `looked` changes that.
    sa.Column("until", MOMENT),
    sa.Column("looked", sa.BigInteger),
    # Its last event, by which a restored log is recognized.
    sa.Column("greatest", sa.BigInteger),
    sa.Column("event_id", sa.String),
    # Whether a stream ends before that event, and the first time with one event more
    # among those before it: NULL if there is none.
    sa.Column("has_ended", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("next_at", MOMENT),
    # Whom an event up to this position forgets, nobody can read in it.
    sa.Column(
        "forgotten_up_to", sa.BigInteger, nullable=False, server_default=sa.text("0")
    ),
    sa.Column("state", sa.String, nullable=False, server_default="wanted"),
    # Positions of the log that are read, of so many.
    sa.Column("done", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("goal", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("rows", sa.BigInteger),
    sa.Column("bytes", sa.BigInteger),
    # Streams with an event that cannot be projected.
    sa.Column("left_out", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("error", sa.String),
    sa.Column("asked_by", sa.String, nullable=False),
    sa.Column(
        "asked_at", MOMENT, nullable=False, server_default=sa.func.clock_timestamp()
    ),
    sa.Column("begun_at", MOMENT),
    sa.Column("made_at", MOMENT),
    sa.Column(
        "used_at", MOMENT, nullable=False, server_default=sa.func.clock_timestamp()
    ),
    sa.CheckConstraint(
        "state IN ('wanted', 'filling', 'ready', 'failed', 'dropped')", name="state"
    ),
    # The copies are unlogged: after a crash both are empty, and so they agree.
    prefixes=["UNLOGGED"],
    postgresql_with={"fillfactor": "50"},
)

# Several who ask for the same wait for the same.
sa.Index(
    "past_copies_wish_idx",
    past_copies.c.read_model,
    past_copies.c.shape,
    past_copies.c.fold_version,
    sa.text("coalesce(at, 'infinity')"),
    sa.text("(CASE WHEN at IS NULL THEN up_to ELSE 0 END)"),
    unique=True,
    postgresql_where=sa.text("state IN ('wanted', 'filling')"),
)
