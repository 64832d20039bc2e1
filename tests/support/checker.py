"""
Does the shop keep its promise? A check that reads only tables and a client's own log.

It knows nothing of the code: it would check any other that fills the same tables.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa

FINAL = ("succeeded", "rejected", "failed", "abandoned", "cancelled")


@dataclass
class Verdict:
    """What was checked, and every promise that was broken, by invariant."""

    outcomes: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def check(engine: sa.Engine, promised: Iterable[str]) -> Verdict:
    """
    Hold the tables against the ids of the commands that were answered with a 202.

    It is for a load in which every command that succeeds changes something, once.
    """
    verdict = Verdict()
    with engine.connect() as connection:
        commands = connection.execute(
            sa.text(
                "SELECT id::text, seq, stream_id, status, accepted_at, position"
                " FROM commands"
            )
        ).all()
        events = connection.execute(
            sa.text(
                "SELECT id, stream_id, version, metadata->>'command_id' AS command_id,"
                " metadata->>'event_id' AS event_id,"
                " metadata->>'correlation_id' AS correlation_id,"
                " metadata->>'causation_id' AS causation_id FROM events ORDER BY id"
            )
        ).all()
    known = {command.id: command for command in commands}
    caused = Counter(event.command_id for event in events)

    for command_id in promised:
        command = known.get(command_id)
        if command is None:
            verdict.broken["every promise is in the journal"].append(command_id)
        elif command.status not in FINAL:
            verdict.broken["every promise is final"].append(command_id)
    for command in commands:
        verdict.outcomes[command.status] += 1
        events_of = caused[command.id]
        if command.status == "succeeded" and events_of > 1:
            verdict.broken["a command takes effect once"].append(command.id)
        if command.status == "succeeded" and not events_of:
            verdict.broken["what succeeded has happened"].append(command.id)
        if command.status != "succeeded" and events_of:
            verdict.broken["only what succeeded has happened"].append(command.id)
    for event in events:
        if event.command_id not in known or event.causation_id != event.command_id:
            verdict.broken["every event has a command behind it"].append(event.event_id)
    twice = [i for i, n in Counter(e.event_id for e in events).items() if n > 1]
    verdict.broken["an event is in the log once"] += twice

    versions: dict[str, int] = defaultdict(int)
    last_seq: dict[str, int] = defaultdict(int)
    for event in events:
        versions[event.stream_id] += 1
        if event.version != versions[event.stream_id]:
            verdict.broken["versions are 1..n and rise with ids"].append(event.event_id)
        command = known.get(event.command_id)
        if command is not None:
            if command.seq < last_seq[event.stream_id]:
                verdict.broken["commands take effect in order"].append(command.id)
            last_seq[event.stream_id] = command.seq
    verdict.broken = {rule: cases for rule, cases in verdict.broken.items() if cases}
    return verdict
