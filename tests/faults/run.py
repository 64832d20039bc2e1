"""One run on one desk: seeds one after the other, then the check of it all."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import sqlalchemy as sa

from eventstore.connection import driver_connection
from tests.faults.answers import Answers, read_answers
from tests.faults.checker import Verdict, check
from tests.faults.desk import Desk
from tests.faults.injector import Injector, Struck
from tests.faults.kinds import Kind
from tests.faults.load.load import Load
from tests.faults.plan import plan
from tests.faults.resources import Levels, levels
from tests.faults.watcher import Watcher

MOST_REST = 180.0
"""Seconds after the last fault in which all must have become final."""
WAITING = "SELECT count(*) FROM commands WHERE status = 'accepted'"
OPEN_TRANSFERS = """
SELECT count(*) FILTER (WHERE type = 'TransferRequested')
    - count(*) FILTER (WHERE type IN ('TransferCompleted', 'TransferCompensated'))
FROM events WHERE type LIKE 'Transfer%'
"""
BEHIND = """
SELECT count(*) FROM subscriptions
WHERE checkpoint < settled() AND (
    name IN (SELECT name FROM process_managers)
    OR name IN (SELECT read_model || '_g' || live FROM generations)
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is asked for."""

    seeds: Sequence[int]
    seconds: float
    rate: float
    batch_rate: float
    every: float
    kinds: Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one seed."""

    seed: int
    sent: int
    struck: Sequence[Struck]
    rest: float
    """Seconds from the end of load and faults until all was final."""


@dataclass
class Run:
    """A run of some seeds on a desk, and what was found."""

    desk: Desk
    options: Options
    tell: Callable[[str], None]
    rounds: list[Round] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.desk.folder / "answers.jsonl"

    def go(self) -> tuple[Verdict, Levels, Levels]:
        """Run all seeds; return the verdict, and what was held before and after."""
        before = levels(self.desk)
        answers = Answers(self.path)
        watcher = Watcher(self.desk.engine())
        with watcher.watching():
            for seed in self.options.seeds:
                self.rounds.append(self.round(seed, answers))
        answers.close()
        self.tell("checking the tables against what the client was answered")
        after = levels(self.desk)
        with self.desk.engine().connect() as connection:
            verdict = check(driver_connection(connection), read_answers(self.path))
        verdict.add(watcher.verdict())
        return verdict, before, after

    @property
    def struck(self) -> list[Struck]:
        return list(chain.from_iterable(round.struck for round in self.rounds))

    def round(self, seed: int, answers: Answers) -> Round:
        options = self.options
        load = Load(
            self.desk.address,
            answers,
            seed,
            options.seconds,
            options.rate,
            options.batch_rate,
        )
        planned = plan(seed, options.seconds, options.every, options.kinds)
        injector = Injector(self.desk, options.kinds, planned)
        failures: list[BaseException] = []

        def strike() -> None:
            try:
                injector.strike_all()
            except BaseException as failure:
                failures.append(failure)

        striking = threading.Thread(target=strike)
        striking.start()
        try:
            load.run()
        finally:
            injector.stopped.set()
            striking.join()
        for failure in failures:
            raise failure
        self.desk.restore()
        rest = self.wait_for_rest()
        self.tell(
            f"seed {seed}: {load.sent:,} commands sent,"
            f" {len(injector.struck)} faults, all final {rest:.1f} s after it"
        )
        return Round(seed, load.sent, injector.struck, rest)

    def wait_for_rest(self) -> float:
        """Wait until all is final and read, but not for ever; return the seconds."""
        start = time.monotonic()
        told = start
        while (left := self.left()) and time.monotonic() - start < MOST_REST:
            if time.monotonic() - told > 10:
                told = time.monotonic()
                self.tell(f"  still to come: {left}")
            time.sleep(0.05)
        return time.monotonic() - start

    def left(self) -> str:
        """Say what is not done yet, or nothing."""
        with self.desk.engine().connect() as connection:
            for query, what in (
                (WAITING, "commands"),
                (OPEN_TRANSFERS, "transfers"),
                (BEHIND, "readers of the log"),
            ):
                if count := connection.scalar(sa.text(query)):
                    return f"{count} {what}"
        return ""
