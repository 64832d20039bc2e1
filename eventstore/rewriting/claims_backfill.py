"""Filling: claims for streams that were written before they claimed anything."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.aggregates.loading import load
from eventstore.claims import ClaimChange
from eventstore.errors import AlreadyClaimed, EventStoreError, WrongExpectedVersion
from eventstore.errors.text import error_text
from eventstore.log.append import append
from eventstore.log.read import settled

BATCH = 100
"""Streams of one append, which holds them all."""


class UnclaimedStream(NamedTuple):
    """A stream that could not make its claim, and why."""

    stream_id: str
    reason: str


def fill_claims(
    connection: psycopg.Connection[Any], deciders: Deciders, category: str
) -> Iterator[list[UnclaimedStream]]:
    """
    Claim for all streams of *category* what their states have, the oldest stream first.

    Yields after each batch which of its streams could not, and why. What is claimed
    stays claimed: it can be run again, and while everything runs, on a *connection* in
    autocommit.
    """
    end = settled(connection)
    after = 0
    while True:
        begun = connection.execute(
            """
            SELECT id, stream_id FROM public.events
            WHERE id > %s AND id <= %s AND version = 1
                AND split_part(stream_id, '-', 1) = %s
            ORDER BY id
            LIMIT %s
            """,
            (after, end, category, BATCH),
        ).fetchall()
        if not begun:
            return
        after = begun[-1][0]
        yield claim_for(connection, deciders, [stream_id for _, stream_id in begun])


def claim_for(
    connection: psycopg.Connection[Any], deciders: Deciders, stream_ids: Sequence[str]
) -> list[UnclaimedStream]:
    """Claim what the states of these streams have; return which of them could not."""
    while True:
        try:
            streams = load(connection, stream_ids, deciders)
        except EventStoreError as error:
            if len(stream_ids) == 1:
                return [UnclaimedStream(stream_ids[0], error_text(error))]
            alone = (claim_for(connection, deciders, [one]) for one in stream_ids)
            return [unclaimed for those in alone for unclaimed in those]
        changes = []
        for stream_id in stream_ids:
            decider = deciders.of_stream(stream_id)
            missing = decider.missing_claims(streams.states[stream_id])
            changes += deciders.hashed(missing, stream_id)
        try:
            return claim_what_is_free(connection, changes, streams.versions)
        except WrongExpectedVersion:
            # Somebody wrote meanwhile: what we would claim may be released by now.
            continue


def claim_what_is_free(
    connection: psycopg.Connection[Any],
    changes: list[ClaimChange],
    versions: dict[str, int],
) -> list[UnclaimedStream]:
    late: list[ClaimChange] = []
    while True:
        try:
            append(connection, [], expected=versions, claims=changes)
        except AlreadyClaimed as refusal:
            refused = {clash[:3] for clash in refusal.clashes}
            late += [change for change in changes if change[:3] in refused]
            changes = [change for change in changes if change[:3] not in refused]
        else:
            return [
                UnclaimedStream(
                    change.stream_id, f"an earlier one has its {change.scope}"
                )
                for change in late
            ]
