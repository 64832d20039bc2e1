"""The lines of `up` and `test` on the terminal, each with its second."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field


def when_the_script_started() -> float:
    """Return when `./recount` began, on the clock that all processes share."""
    return float(os.environ.get("RECOUNT_STARTED") or time.monotonic())


@dataclass(slots=True)
class Console:
    """The terminal, which may be closed while the program continues."""

    start: float = field(default_factory=when_the_script_started)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.start

    def say(self, fact: str) -> None:
        self.show(f"{self.seconds:5.1f} s  {fact}")

    def show(self, text: str) -> None:
        # A closed terminal must not keep us from stopping in order.
        with suppress(OSError):
            print(text, flush=True)
