"""One run on one desk: seeds one after the other, then the check of it all."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import sqlalchemy as sa

from eventstore.connection import driver_connection
from tests.faults.answers import Answers, read_answers
from tests.faults.breaking import steps
from tests.faults.checker import Verdict, check
from tests.faults.checker.folds import FOLDS, invariant_of
from tests.faults.checker.looking import Look, look
from tests.faults.checker.money import count_ends
from tests.faults.checker.readers import BEHIND
from tests.faults.desk import Desk
from tests.faults.injector import Injector, Struck
from tests.faults.kinds import Kind, left_out
from tests.faults.load.load import Load
from tests.faults.plan import plan
from tests.faults.resources import Levels, levels
from tests.faults.watcher import Watcher

MAX_SECONDS_OF_REST = 180.0
"""Seconds after the last fault in which all must have become final."""
RIGHT = "what is right is accepted at last, and what is wrong is not"
REST = "after the last fault all is done and read without help"
SHOWN = "every read model is there"
HEALTHY = Look(
    "a command fails by the deaths of its runners alone",
    """
    SELECT id::text, status = 'failed' AND error ->> 'error' <> 'RunnerDied'
    FROM commands
    """,
)
WAITING = "SELECT count(*) FROM commands WHERE status = 'accepted'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is asked for."""

    seeds: Sequence[int]
    seconds: float
    rate: float
    batch_rate: float
    every: float
    kinds: Mapping[str, Kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What came of one seed."""

    seed: int
    judged: int
    misjudged: Sequence[str]
    struck: Sequence[Struck]
    missed: Sequence[str]
    left: str
    """What was not done when the rig had waited for it long enough, or nothing."""


@dataclass
class Run:
    """A run of some seeds on a desk, and what was found."""

    desk: Desk
    options: Options
    tell: Callable[[str], None]
    rounds: list[Round] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.desk.folder / "answers.jsonl"
        self.left_out = left_out(self.options.kinds, self.desk)

    def go(self) -> tuple[Verdict, Levels, Levels]:
        """Run all seeds; return the verdict, and what was held before and after."""
        for name, why in self.left_out.items():
            self.tell(f"left out: {name}, {why}")
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
            driver = driver_connection(connection)
            verdict = check(driver, read_answers(self.path))
            look(driver, [HEALTHY], verdict)
        verdict.add(watcher.verdict())
        self.note_rounds(verdict)
        return verdict, before, after

    def note_rounds(self, verdict: Verdict) -> None:
        """Note what the rig knows and the tables cannot tell."""
        for round in self.rounds:
            verdict.note(RIGHT, round.judged, round.misjudged)
            verdict.note(REST, 1, [f"{round.seed}: {round.left}"] if round.left else [])
        shown = [invariant_of(name) for name in FOLDS]
        verdict.note(SHOWN, len(shown), [i for i in shown if i not in verdict.checked])

    @property
    def struck(self) -> list[Struck]:
        return list(chain.from_iterable(round.struck for round in self.rounds))

    @property
    def missed(self) -> list[str]:
        return list(chain.from_iterable(round.missed for round in self.rounds))

    def round(self, seed: int, answers: Answers) -> Round:
        options = self.options
        load = Load(
            self.desk.address,
            answers,
            seed,
            options.seconds,
            options.rate,
            options.batch_rate,
            clock_may_be_ahead=not steps.NAMES.isdisjoint(options.kinds),
            authorization=self.desk.authorization,
        )
        # What cannot be made here is planned all the same: the rest keeps its times.
        planned = [
            planned
            for planned in plan(seed, options.seconds, options.every, options.kinds)
            if planned.kind not in self.left_out
        ]
        injector = Injector(self.desk, options.kinds, planned)
        failures: list[BaseException] = []

        def strike() -> None:
            try:
                injector.strike_all()
            except BaseException as failure:
                failures.append(failure)
                load.is_over.set()

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
        start = time.monotonic()
        left = self.wait_for_rest()
        rest = time.monotonic() - start
        self.tell(
            f"seed {seed}: {load.sent:,} commands sent,"
            f" {len(injector.struck)} of {len(planned)} faults struck,"
            f" {f'{left} not done' if left else 'all final'} {rest:.1f} s after it"
        )
        return Round(
            seed=seed,
            judged=load.judged,
            misjudged=load.misjudged,
            struck=injector.struck,
            missed=injector.missed,
            left=left,
        )

    def wait_for_rest(self) -> str:
        """Wait until all is final and read, but not for ever; return what is not."""
        told = time.monotonic()
        until = told + MAX_SECONDS_OF_REST
        while (left := self.left()) and time.monotonic() < until:
            if time.monotonic() - told > 10:
                told = time.monotonic()
                self.tell(f"  still to come: {left}")
            time.sleep(0.05)
        return left

    def left(self) -> str:
        """Say what is not done yet, or nothing."""
        with self.desk.engine().connect() as connection:
            if commands := connection.scalar(sa.text(WAITING)):
                return f"{commands} commands"
            ends = count_ends(driver_connection(connection))
            if transfers := ends.requested - ends.completed - ends.compensated:
                return f"{transfers} transfers"
            if readers := connection.scalar(sa.text(BEHIND)):
                return f"{readers} readers of the log"
        if deaf := self.desk.deaf():
            return f"{deaf} workers that wait for no message"
        return ""
