"""Compare a plan with the log: events that are there already, and other ones there."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import psycopg

from domain.customers.events import CustomerRegistered
from eventstore.encryption.keys import MasterKeys
from eventstore.personal.keyring import Keyring
from tasks.shop.history_import.csv_files import show_text
from tasks.shop.history_import.encryption import is_same, learn_keys
from tasks.shop.history_import.plan import Plan, PlannedEvent, event_id

CHUNK = 10_000
"""Events looked up with one statement."""

_COMPARE = """
    SELECT
        p.ordinal - 1,
        e.event_id = p.event_id,
        e.source,
        e.schema <> p.schema OR (
            e.type = p.type
            AND e.data = p.data::jsonb
            AND e.occurred_at = coalesce(p.occurred_at, e.occurred_at)
        ),
        -- Encrypted, it cannot be compared here.
        CASE
            WHEN e.data ? '$personal' AND e.type = p.type AND e.schema = p.schema
                AND e.occurred_at = coalesce(p.occurred_at, e.occurred_at)
            THEN e.data::text
        END
    FROM unnest(
        -- In binary form nothing in the JSON is escaped: that took longest.
        %s::text[], %s::int[], %s::text[], %s::text[], %s::text[], %b::text[],
        %s::timestamptz[]
    ) WITH ORDINALITY AS p (
        stream_id, version, event_id, type, schema, data, occurred_at, ordinal
    )
    -- One by one: each is found by its key, however many events the log has.
    CROSS JOIN LATERAL (
        SELECT
            e.type, e.data, e.occurred_at,
            e.metadata ->> 'event_id' AS event_id,
            e.metadata ->> 'schema' AS schema,
            e.metadata ->> 'source' AS source
        FROM public.events AS e
        WHERE e.stream_id = p.stream_id AND e.version = p.version
        LIMIT 1
    ) AS e
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanComparison:
    """The places of planned events that are in the log; the differences by stream."""

    there: Set[int]
    otherwise: Mapping[str, str]

    def new_streams(self, plan: Plan) -> set[str]:
        """Return the streams of *plan* that have no event yet."""
        return {
            planned.stream_id
            for place, planned in enumerate(plan.events)
            if planned.version == 1 and place not in self.there
        }


def compare(
    connection: psycopg.Connection[Any], plan: Plan, masters: MasterKeys | None
) -> PlanComparison:
    """
    Return which events of *plan* are in the log.

    They are looked up by id. Their content must be the same, too; if not, the files
    were changed since. It is not compared if the log has another schema version.
    """
    there: set[int] = set()
    otherwise: dict[str, str] = {}
    keyring = Keyring(connection, masters)
    for start in range(0, len(plan.events), CHUNK):
        chunk = plan.events[start : start + CHUNK]
        rows = connection.execute(_COMPARE, arguments(plan, chunk)).fetchall()
        learn_keys((kept for *_, kept in rows if kept), keyring)
        for place, is_ours, source, is_equal, kept in rows:
            if is_ours and kept:
                about = event_id(plan.import_id, chunk[place])
                is_equal = is_same(chunk[place], kept, about, keyring)
            if is_ours and is_equal:
                there.add(start + place)
            else:
                stream_id = chunk[place].stream_id
                otherwise.setdefault(stream_id, reason(plan, is_ours, source))
    return PlanComparison(there=there, otherwise=otherwise)


def arguments(plan: Plan, chunk: Sequence[PlannedEvent]) -> tuple[list[Any], ...]:
    import_id = plan.import_id
    return (
        [planned.stream_id for planned in chunk],
        [planned.version for planned in chunk],
        [str(event_id(import_id, planned)) for planned in chunk],
        [planned.type for planned in chunk],
        [planned.schema for planned in chunk],
        [planned.data for planned in chunk],
        [time_to_compare(planned) for planned in chunk],
    )


def time_to_compare(planned: PlannedEvent) -> Any:
    """
    Return when an event must have occurred; None if any time is right.

    The files do not say when a customer was registered: it is the day of the first
    order, which changes when a bad order is corrected.
    """
    is_told = planned.type != CustomerRegistered.__name__
    return planned.occurred_at if is_told else None


def reason(plan: Plan, is_ours: bool, source: str | None) -> str:
    if is_ours:
        return "was imported with other content, or in another TIMEZONE"
    if source is not None and source != plan.source:
        return f"was imported as --source {show_text(source)}"
    return "has other events"


def waiting_for(
    connection: psycopg.Connection[Any], streams: Collection[str]
) -> dict[str, str]:
    """Return those of *streams* for which a command waits, each with the reason."""
    rows = connection.execute(
        "SELECT DISTINCT stream_id FROM public.commands WHERE status = 'accepted'"
    )
    return {
        stream_id: "has no event yet, but a command that waits"
        for (stream_id,) in rows
        if stream_id in streams
    }
