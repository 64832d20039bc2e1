"""`recount commands show`: one command with its history, error and effects."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import click
import psycopg

from cli.commands_list import describe_error, entry_as_json
from cli.output import json_of
from eventstore.errors import CannotProject, EventStoreError
from eventstore.journal.effects import MAX_EFFECTS, Effect, FollowUp, find_effects
from eventstore.journal.entries import (
    Entry,
    Incident,
    decrypt_entry,
    find,
    find_incidents,
)
from eventstore.journal.pruning import find_pruned_before
from eventstore.log.events import RecordedEvent
from eventstore.personal.keyring import Keyring
from eventstore.projections.affected_rows import AffectedRows, find_affected_rows
from tasks.shop.printable import printable
from tasks.shop.wiring import Shop, shop

FORGOTTEN = "(whom it is about was forgotten)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A message that followed from the command, and the rows that an event changed."""

    effect: Effect
    rows: list[AffectedRows]
    problem: str = ""


@click.command()
@click.argument("command_id", type=click.UUID)
@click.option("--json", "is_json", is_flag=True, help="One object, for programs.")
def show(command_id: UUID, is_json: bool) -> None:
    """
    Show a command: its data, its history, its error and its effects.

    The effects are a tree: events, the commands that followed from them, and the rows
    of the read models that each event changed.
    """
    with shop().autocommitting.connect() as tables:
        entry = find(tables, command_id)
        incidents = find_incidents(tables, command_id)
    with shop().lent() as connection:
        if entry is None:
            before = here(find_pruned_before(connection))
            kept = f" What had finished before {before} was pruned." if before else ""
            raise click.ClickException(f"There is no command {command_id}.{kept}")
        sent = decrypt_entry(connection, entry, shop().settings.master_keys)
        nodes = list(nodes_of(connection, shop(), command_id))
    if is_json:
        click.echo(json_of(whole_as_json(entry, sent, incidents, nodes)))
        return
    for line in lines_of(entry, sent, incidents, nodes):
        click.echo(printable(line))


def nodes_of(
    connection: psycopg.Connection[Any], shop: Shop, command_id: UUID
) -> Iterator[Node]:
    keyring = Keyring(connection, shop.deciders.masters)
    for effect in find_effects(connection, command_id):
        if isinstance(effect.message, FollowUp):
            yield Node(effect=effect, rows=[])
            continue
        try:
            (event,) = keyring.decrypt_events([effect.message])
            rows = find_affected_rows(connection, shop.projections, event)
            yield Node(effect=effect, rows=rows)
        except (CannotProject, EventStoreError) as error:
            yield Node(effect=effect, rows=[], problem=str(error))


def lines_of(
    entry: Entry, sent: Entry | None, incidents: list[Incident], nodes: list[Node]
) -> Iterator[str]:
    yield f"{entry.type} {entry.id}"
    for name, value in facts_of(entry).items():
        if value is not None:
            yield f"  {name:12} {value}"
    data = json_of(sent.data) if sent else FORGOTTEN
    yield f"  {'data':12} {data}"
    if incidents:
        yield "history"
    for incident in incidents:
        yield from lines_of_incident(incident)
    if nodes:
        yield "caused"
    for node in nodes:
        yield from lines_of_node(node)
    if len(nodes) >= MAX_EFFECTS:
        yield f"  … and more: the first {MAX_EFFECTS:,} are shown"


def facts_of(entry: Entry) -> dict[str, Any]:
    return {
        "status": entry.display_status,
        "because": describe_error(entry.error) if entry.error else None,
        "stream": entry.stream_id,
        "sent by": entry.principal,
        "accepted": here(entry.accepted_at),
        "not before": here(entry.not_before),
        "begun last": here(entry.started_at),
        "next try": here(entry.next_try_at) if entry.status == "accepted" else None,
        "finished": here(entry.finished_at),
        "expected": entry.expected_version,
        "attempts": entry.attempts,
        "conflicts": entry.conflicts,
        "ran by": entry.ran_by,
        "position": entry.position,
    }


def here(moment: Any) -> str | None:
    if moment is None:
        return None
    zone = shop().settings.timezone
    return str(moment.astimezone(zone).isoformat(" ", "milliseconds"))


def lines_of_incident(incident: Incident) -> Iterator[str]:
    """Yield the incidents with their times, and tracebacks on separate lines."""
    detail = dict(incident.detail)
    traceback = detail.pop("traceback", "")
    said = ", ".join(f"{name} {value}" for name, value in detail.items())
    yield f"  {here(incident.at)}  {incident.kind}  {said}".rstrip()
    for line in traceback.splitlines():
        yield f"      {line}"


def lines_of_node(node: Node) -> Iterator[str]:
    what, depth = node.effect
    indent = "  " * (depth + 1)
    if isinstance(what, FollowUp):
        yield f"{indent}{what.type} {what.id} to {what.stream_id}: {what.status}"
        return
    yield f"{indent}{what.type}, {what.stream_id} {what.version}, at {what.position}"
    for row in node.rows:
        where = ", ".join(f"{name} {value}" for name, value in row.where.items())
        yield f"{indent}  {row.read_model}: {where}" + (
            "" if row.is_there else "  (not yet: it lags)"
        )
    if node.problem:
        yield f"{indent}  {node.problem}"


def whole_as_json(
    entry: Entry, sent: Entry | None, incidents: list[Incident], nodes: list[Node]
) -> dict[str, Any]:
    return {
        **entry_as_json(entry),
        "expected_version": entry.expected_version,
        "data": sent.data if sent else None,
        "history": [incident._asdict() for incident in incidents],
        "caused": [node_as_json(node) for node in nodes],
    }


def node_as_json(node: Node) -> dict[str, Any]:
    what, depth = node.effect
    if isinstance(what, RecordedEvent):
        told_of = {
            "event": what.type,
            "stream_id": what.stream_id,
            "version": what.version,
            "position": what.position,
        }
    else:
        told_of = {
            "command": what.type,
            "id": str(what.id),
            "stream_id": what.stream_id,
            "status": what.status,
        }
    rows = [
        {"read_model": r.read_model, "where": dict(r.where), "is_there": r.is_there}
        for r in node.rows
    ]
    return {"depth": depth, **told_of, "rows": rows, "problem": node.problem or None}
