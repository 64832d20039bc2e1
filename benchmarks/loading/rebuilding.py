"""The list of orders rebuilt while the load runs and readers look at it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.loading.list_readers import Readers
from embedded import handover

FIRST_AFTER = 5.0
"""Seconds of load before the first; there is something to rebuild by then."""
BETWEEN = 3.0
READERS = 3
COMMAND = ["rebuild", "order_list"]


@dataclass
class Rebuilding:
    """So many rebuilds, one after the other, each by the command of an operator."""

    database_url: str
    times: int
    run: Callable[[list[str]], int] = handover.run
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def __post_init__(self) -> None:
        self.readers = Readers(self.database_url, READERS)
        self.thread = threading.Thread(target=self.rebuild)

    def __enter__(self) -> "Rebuilding":
        self.readers.__enter__()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.join()
        self.readers.__exit__()

    def rebuild(self) -> None:
        time.sleep(FIRST_AFTER)
        for _ in range(self.times):
            started = time.monotonic()
            self.failed += self.run(COMMAND) != 0
            self.seconds.append(time.monotonic() - started)
            time.sleep(BETWEEN)

    @property
    def has_failed(self) -> bool:
        return bool(self.failed or self.readers.faults)
