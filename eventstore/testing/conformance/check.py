"""A check: a rule of the store as a function that asserts it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from eventstore.store import Store

E = TypeVar("E", bound=Exception)

Connect = Callable[[], Store]
"""Returns a store on one log: the same log each time, for one more writer of it."""


@dataclass(frozen=True, slots=True)
class Check:
    """A rule, by its name; called, it raises where a store does not keep it."""

    rule: Callable[[Connect], None]

    def __call__(self, connect: Connect) -> None:
        if not __debug__:
            raise RuntimeError("asserts are switched off: run without -O")
        self.rule(connect)

    def __str__(self) -> str:
        return self.rule.__name__


@contextmanager
def expect_error(error: type[E]) -> Iterator[list[E]]:
    """Expect the *error*, and keep it; fail where none is raised, or another."""
    seen: list[E] = []
    try:
        yield seen
    except error as refusal:
        seen.append(refusal)
    assert seen, f"{error.__name__} was not raised"
