"""What a check has found: how many things it looked at, and which were wrong."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Verdict:
    """
    By invariant, a sentence: how many things were looked at, and what breaks it.

    *outcomes* counts the commands of the journal by their status.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    checked: dict[str, int] = field(default_factory=dict)
    broken: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        return not self.broken

    @property
    def counts(self) -> dict[str, int]:
        """How many things break each invariant that is broken."""
        return {invariant: len(cases) for invariant, cases in self.broken.items()}

    def note(self, invariant: str, looked_at: int, cases: Iterable[str] = ()) -> None:
        """Count what was looked at for an invariant, and keep what breaks it."""
        self.checked[invariant] = self.checked.get(invariant, 0) + looked_at
        found = list(cases)
        if found:
            self.broken.setdefault(invariant, []).extend(found)

    def add(self, other: "Verdict") -> None:
        """Take over what another check has found."""
        self.outcomes += other.outcomes
        for invariant, looked_at in other.checked.items():
            self.note(invariant, looked_at, other.broken.get(invariant, ()))
