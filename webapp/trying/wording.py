"""What a command would cause, in the words of pages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple, get_args

from domain.accounts.commands import DepositRefund, WithdrawForTransfer
from domain.customers.events import FirstOrderRequested
from domain.orders.commands import CancelUnpaidOrder, PlaceOrder
from domain.orders.events import OrderEvent
from eventstore.journal.preview import PreviewedEvent
from eventstore.subscriptions.follow_ups import PreviewedCommand
from readmodels.order_parts import describe_event
from webapp.forms.labels import event_label, field_name, label
from webapp.past.changes_pages import words_in
from webapp.trying.asking import TrialResult
from webapp.why.wording import Words

EMPTY = (None, "", ())
STANDING = ("status", "total", "paid", "refunded", "due", "credit")
"""What is told of an order also where it stays: how far it is, and its money."""


class EventWords(NamedTuple):
    """An event by its label, and what it says: *told* of an order's, else *details*."""

    event: str
    told: Mapping[str, Any]
    details: str


class ColumnWords(NamedTuple):
    """A column by its label, with its values; *before* is None for a new row."""

    label: str
    before: str | None
    after: str


class FollowUpWords(NamedTuple):
    """What would follow, and when; None: at once."""

    sentence: str
    when: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedWords:
    """
    What a form would do; *refusal* has the rule, message and figures that refuse it.

    One that *has_failed* met a fault of the program.
    """

    refusal: Mapping[str, Any] | None
    has_failed: bool
    currency: str
    events: Sequence[EventWords]
    columns: Sequence[ColumnWords]
    follows: Sequence[FollowUpWords]
    waiting: int
    is_old: bool


def in_words(tried: TrialResult) -> TriedWords:
    """Return what a form would do, as its page tells it."""
    outcome, row = tried.preview.outcome, tried.row
    newest = None if row is None else row.after or row.before
    words = words_in(getattr(newest, "currency", None))
    return TriedWords(
        refusal=outcome.error if outcome.status == "rejected" else None,
        has_failed=outcome.status == "failed",
        currency=words.currency,
        events=[event_words(event, words) for event in tried.preview.events],
        columns=list(columns_in_words(tried, words)) if tried.preview.events else [],
        follows=[follow_up_words(sent, words) for sent in tried.follows],
        waiting=tried.preview.waiting,
        is_old=row is None or row.is_old,
    )


def event_words(event: PreviewedEvent, words: Words) -> EventWords:
    fact, recorded = event
    if isinstance(fact, get_args(OrderEvent)):
        return EventWords(recorded.type, describe_event(fact), "")
    if isinstance(fact, FirstOrderRequested):
        # Its order is told as an order when it is placed.
        return EventWords(recorded.type, {}, words.word("lines", fact.items))
    return EventWords(recorded.type, {}, phrase_of(fact, words))


def phrase_of(fact: Any, words: Words) -> str:
    """Return what an event says, on one line: the fields that hold something."""
    told = (
        f"{field_name(field.name)} {words.word(field.name, held)}"
        for field in fields(fact)
        if field.name != "currency" and (held := getattr(fact, field.name)) not in EMPTY
    )
    return ", ".join(told)


def columns_in_words(tried: TrialResult, words: Words) -> Iterator[ColumnWords]:
    """Yield the columns of the row that differ, and an order's standing."""
    row = tried.row
    if row is None or row.is_old:
        return
    is_new = row.before is None
    changed = set(tried.changed())
    for name in tried.columns:
        old, new = getattr(row.before, name, None), getattr(row.after, name, None)
        is_told = name in changed or (name in STANDING and (old or new))
        is_unknown = name == tried.projection.key and tried.preview.gets_number
        if not is_told or is_unknown or name == "currency" or (is_new and not new):
            continue
        if is_new:
            yield ColumnWords(label(name), None, words.word(name, new))
            continue
        before = value_in_words(name, old, new, words)
        after = value_in_words(name, new, old, words)
        # Times of the same minute are read alike.
        if before != after or name in STANDING:
            yield ColumnWords(label(name), before, after)


def value_in_words(name: str, value: Any, other: Any, words: Words) -> str:
    """Return *value* in words; of a list also its parts that *other* has not."""
    told, known = words.word(name, value), set(words.parts(other))
    parts = [part for part in words.parts(value) if part not in known]
    return f"{told}: {'; '.join(parts)}" if parts else told


def follow_up_words(sent: PreviewedCommand, words: Words) -> FollowUpWords:
    match sent.command:
        case DepositRefund(account_id=account_id, amount=amount, currency=currency):
            money = words_in(currency).word("amount", amount)
            sentence = f"{money} goes to account {account_id}"
        case WithdrawForTransfer(account_id=account_id, amount=amount):
            money = words.word("amount", amount)
            sentence = f"{money} is paid out from account {account_id}"
        case PlaceOrder():
            sentence = "The order is placed then"
        case CancelUnpaidOrder():
            sentence = "If nothing is paid, it is cancelled"
        case command:
            sentence = event_label(type(command).__name__)
    return FollowUpWords(sentence, sent.not_before)
