"""Given events, when a command, then events: a rule on one line, without a database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """
    The rules of one kind of aggregate, and what a test has told of it so far.

    *others* are the states that a decision reads beside its own, by keyword.
    """

    initial: Any
    decide: Callable[..., Sequence[Any]]
    evolve: Callable[[Any, Any], Any]
    past: Sequence[Any] = ()
    others: Mapping[str, Any] = field(default_factory=dict)
    command: Any = None

    def reading(self, **others: Any) -> "Specification":
        """Set the states of other aggregates that decisions read."""
        return replace(self, others=others)

    def given(self, *events: Any) -> "Specification":
        """Tell what has happened."""
        return replace(self, past=events)

    def when(self, command: Any) -> "Specification":
        """Tell what is asked for."""
        return replace(self, command=command)

    @property
    def state(self) -> Any:
        """The aggregate, as its events leave it."""
        return reduce(self.evolve, self.past, self.initial)

    def then(self, *events: Any) -> None:
        """Check that these events follow, and no others."""
        decided = list(self.decided())
        if decided != list(events):
            raise AssertionError(f"decided {decided}, expected {list(events)}")

    def then_nothing(self) -> None:
        """Check that the command is answered, and changes nothing."""
        self.then()

    def then_rejected(self, rule: type[Exception], message: str = "") -> None:
        """Check that *rule* says no, where it matters with these words."""
        try:
            decided = list(self.decided())
        except rule as refusal:
            if message not in str(refusal):
                raise AssertionError(f"rejected with {str(refusal)!r}") from refusal
            return
        raise AssertionError(f"decided {decided}, expected {rule.__name__}")

    def decided(self) -> Sequence[Any]:
        return self.decide(self.state, self.command, **self.others)
