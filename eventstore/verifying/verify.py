"""Verifies the log against its seals, the journal and the snapshots."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.seals.export import ExportedSeal
from eventstore.verifying.checks import UnsealedTail, all_checks, count_unsealed
from eventstore.verifying.finding import Finding
from eventstore.verifying.seals import SealedExtent


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """
    What is wrong, how far the seals vouch, and what no seal vouches for yet.

    *vouched_up_to* is the position up to which seals and log agree. *unsealed* has the
    position behind which events have no seal, and their number.
    """

    findings: Sequence[Finding]
    vouched_up_to: int
    unsealed: UnsealedTail


def verify(
    connection: psycopg.Connection[Any],
    deciders: Deciders,
    *,
    exported: Sequence[ExportedSeal] = (),
    is_all: bool = False,
    is_journaled: bool = False,
    most: int = 100,
) -> VerifyResult:
    """
    Run all checks, and return at most *most* findings of each.

    *exported* are seals that were kept elsewhere, by number. With *is_all* every
    snapshot is replayed, without it a sample. *is_journaled* says that nothing was
    appended but by commands of the journal and by imports. *connection* is in
    autocommit.
    """
    vouching = SealedExtent()
    checks = all_checks(
        deciders,
        vouching,
        exported=exported,
        is_all=is_all,
        is_journaled=is_journaled,
    )
    findings = [
        finding
        for check in checks
        for finding in islice(check.find(connection, lambda _: None), most)
    ]
    return VerifyResult(
        findings=findings,
        vouched_up_to=vouching.up_to,
        unsealed=count_unsealed(connection),
    )
