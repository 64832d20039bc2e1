"""
Simulate a shop in the past: commands are decided as they are today, in order of time.

A story is a generator that yields steps and is sent the subject of each: the number of
the order, customer or transfer, or the name of the account. What the process managers
make of the events is simulated too, since they pass over imported ones.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from domain.orders.state import Order
from eventstore.aggregates.decider import Decider, Deciders
from eventstore.log.codec import schema_of
from eventstore.subscriptions.process_manager import ProcessManager
from tasks.shop.deciders import ALL
from tasks.shop.history_import.plan import PlannedEvent
from tasks.shop.process_managers import process_managers

UNPAID_DAYS = 30
AT_ONCE = timedelta(seconds=1)
"""What a process manager takes to act on an event."""
BEGINNING = datetime.min.replace(tzinfo=UTC)


class Step(NamedTuple):
    """Who does what, when; without a command, only the time passes."""

    at: datetime
    actor: str = ""
    command: Any = None


Story = Generator[Step, str, None]


@dataclass
class Simulation:
    """
    The events of a shop up to *until*: what would happen then or later does not.

    *numbers* has the last number that each category gave; *note* is called with each
    event.
    """

    until: datetime
    events: list[PlannedEvent] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    states: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    deciders: Deciders = field(default_factory=lambda: Deciders(ALL))
    processes: Sequence[ProcessManager] = field(
        default_factory=lambda: process_managers(UNPAID_DAYS, UTC)
    )
    note: Callable[[PlannedEvent], None] = lambda event: None
    agenda: list[tuple[datetime, int, Step, Story]] = field(default_factory=list)
    begun: int = 0
    now: datetime = BEGINNING

    def run(self, stories: Iterable[Story]) -> None:
        """Tell all *stories*, step by step. Raises the rule that a step breaks."""
        for story in stories:
            self.begin(story)
        while self.agenda:
            at, place, step, story = heapq.heappop(self.agenda)
            if at >= self.until:
                return
            self.now = at
            self.proceed(story, place, self.execute(step))

    def begin(self, story: Story) -> None:
        self.begun += 1
        self.put(next(story), self.begun, story)

    def proceed(self, story: Story, place: int, subject: str) -> None:
        try:
            step = story.send(subject)
        except StopIteration:
            return
        self.put(step, place, story)

    def put(self, step: Step, place: int, story: Story) -> None:
        # The log is in order of time.
        assert step.at >= self.now, (step, self.now)
        heapq.heappush(self.agenda, (step.at, place, step, story))

    def execute(self, step: Step) -> str:
        """Decide the command of a step, and return its subject."""
        if step.command is None:
            return ""
        decider = self.deciders.of_command(type(step.command))
        stream_id = decider.stream_of(step.command) or self.next_stream(decider)
        others = {
            name: self.state(other)
            for name, other in decider.reads(step.command).items()
        }
        facts = decider.decide(self.state(stream_id), step.command, **others)
        for fact in facts:
            self.record(decider, stream_id, fact, step)
            self.begin_what_follows(stream_id, fact, step.at)
        return stream_id.partition("-")[2]

    def next_stream(self, decider: Decider) -> str:
        self.numbers[decider.category] += 1
        return f"{decider.category}-{self.numbers[decider.category]}"

    def state(self, stream_id: str) -> Any:
        if stream_id not in self.states:
            return self.deciders.of_stream(stream_id).initial
        return self.states[stream_id]

    def order(self, number: str) -> Order:
        order = self.state(f"order-{number}")
        assert isinstance(order, Order)
        return order

    def record(
        self, decider: Decider, stream_id: str, fact: object, step: Step
    ) -> None:
        self.states[stream_id] = decider.evolve_at(self.state(stream_id), fact, step.at)
        self.versions[stream_id] += 1
        event = PlannedEvent(
            stream_id=stream_id,
            version=self.versions[stream_id],
            type=type(fact).__name__,
            schema=schema_of(fact),
            data=decider.events.encode(fact),
            occurred_at=step.at,
            actor=step.actor,
        )
        self.events.append(event)
        self.note(event)

    def begin_what_follows(self, stream_id: str, fact: object, at: datetime) -> None:
        for process in self.processes:
            if not isinstance(fact, tuple(process.events)):
                continue
            for command in process.react(stream_id, fact):
                due = process.due_at(fact, at) if process.due_at else at + AT_ONCE
                self.begin(one_step(Step(due, process.principal, command)))


def one_step(step: Step) -> Story:
    yield step
