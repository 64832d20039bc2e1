"""What the client's own log says, key by key."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.answers import Attempt

REFUSED = range(400, 500)
NOT_ACCEPTED = "unavailable"
"""The problem of a 503 that says that nothing was accepted."""
KEY_REUSED = "key-reused"


@dataclass(slots=True)
class KeyHistory:
    """All attempts with one key: one command, if the shop keeps its word."""

    key: str
    attempts: list[Attempt] = field(default_factory=list)
    takings_back: list[Attempt] = field(default_factory=list)

    @property
    def promised(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.status == 202]

    @property
    def ids(self) -> set[str]:
        return {a.command_id for a in self.promised if a.command_id is not None}

    @property
    def is_nameless(self) -> bool:
        """Whether a 202 did not say which command it promises."""
        return any(attempt.command_id is None for attempt in self.promised)

    @property
    def may_be_accepted(self) -> bool:
        """Whether nobody knows: no 202, and an answer that leaves it open."""
        return not self.promised and any(map(leaves_it_open, self.attempts))

    @property
    def first_sent(self) -> float:
        return min(attempt.sent_at for attempt in self.attempts)

    @property
    def first_promised(self) -> float | None:
        """When the client first knew that it is accepted."""
        times = [a.answered_at for a in self.promised if a.answered_at is not None]
        return min(times, default=None)

    @property
    def is_scheduled(self) -> bool:
        return any(attempt.not_before for attempt in self.attempts)


def leaves_it_open(attempt: Attempt) -> bool:
    """Say whether a command may be accepted although no 202 came."""
    if attempt.status is None:
        return True
    says_no = attempt.problem.endswith(NOT_ACCEPTED) or attempt.status in REFUSED
    return attempt.status != 202 and not says_no


def by_key(attempts: Iterable[Attempt]) -> dict[str, KeyHistory]:
    """Return the attempts by their keys, each in the order of the log."""
    asked: dict[str, KeyHistory] = {}
    for attempt in attempts:
        one = asked.get(attempt.key)
        if one is None:
            one = asked[attempt.key] = KeyHistory(attempt.key)
        (one.takings_back if attempt.takes_back else one.attempts).append(attempt)
    return asked


def content_of(attempt: Attempt) -> str:
    """Return what must be the same where the same key comes again."""
    sent = [attempt.type, attempt.stream, attempt.data, attempt.not_before]
    return json.dumps(sent, sort_keys=True, default=str)


NAMES = (
    "account_id",
    "amount",
    "currency",
    "customer_id",
    "days",
    "freight",
    "from_account",
    "order_id",
    "parcel",
    "payment",
    "product_id",
    "reason",
    "terms",
    "to_account",
    "tracking_no",
    "unit_price",
    "until",
    "with_freight",
)
OF_LINES = ("line", "product", "product_id", "quantity", "unit_price")


def told(type_: str, data: dict[str, Any]) -> tuple[Any, ...]:
    """
    Return what a command says, as far as it is stored the way it was sent.

    Personal fields are not: they are encrypted.
    """
    items = [
        tuple(item.get(name) for name in OF_LINES)
        for several in ("items", "lines")
        for item in data.get(several) or ()
    ]
    return (type_, *(data.get(name) for name in NAMES), *items)
