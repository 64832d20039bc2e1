"""Asking a read store: its answer, if it may be shown without asking PostgreSQL."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from flask import g

from tasks.stores.asked_stores import AskedStore
from tasks.stores.store_state import MAX_SECONDS_OLD
from webapp.answering_store import note_store
from webapp.past.moment_asked import moment_shown
from webapp.position_asked import position_asked

Q = TypeVar("Q")
T = TypeVar("T")


class StoredAnswer(Protocol):
    """
    What a store has found, with all events up to *position*.

    *certified_at* is when its copy last had all changes, in seconds since 1970 by the
    clock of who feeds it; None if it never had. *parked* is how many streams are parked
    for the read model.
    """

    @property
    def position(self) -> int: ...

    @property
    def certified_at(self) -> float | None: ...

    @property
    def parked(self) -> int: ...


def is_new_enough(found: StoredAnswer) -> bool:
    """Return whether the answer is as new as this request wants, and nothing parked."""
    return (
        found.parked == 0
        and found.position >= position_asked().position
        and found.certified_at is not None
        # Clocks of two computers differ, and one may be set back.
        and abs(time.time() - found.certified_at) < MAX_SECONDS_OLD
    )


def ask_store(store: AskedStore[Q], question: Callable[[Q], T]) -> T | None:
    """
    Return what *question* returns; None, which the page says, if it is away.

    None, too, as of a moment: no store has the past.
    """
    if moment_shown() is not None:
        return None
    found = store.ask(question)
    if found is None:
        g.passed_by = store.name
    return found


def takes(store: AskedStore[Q], found: StoredAnswer) -> bool:
    """Return whether the answer is shown; note then that *store* has given it."""
    if not is_new_enough(found):
        return False
    note_store(store.name, found.position)
    return True
