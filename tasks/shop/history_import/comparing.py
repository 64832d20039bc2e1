"""Compare a plan with the log: events that are there already, and other ones there."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import psycopg

from domain.customers.events import CustomerRegistered
from domain.orders.events import PaymentReceived
from domain.products.events import ProductAdded, ProductDiscontinued
from eventstore.aggregates.decider import Deciders, category_of
from eventstore.log.events import RecordedEvent
from eventstore.personal.keyring import Keyring
from tasks.shop.deciders import PRODUCTS
from tasks.shop.history_import.csv_files import show_text
from tasks.shop.history_import.encryption import learn_keys, means_same
from tasks.shop.history_import.plan import Plan, PlannedEvent, event_id

CHUNK = 10_000
"""Events looked up with one statement."""

_COMPARE = """
    SELECT
        p.ordinal - 1,
        e.event_id = p.event_id,
        e.source,
        e.type = p.type AND e.occurred_at = coalesce(p.occurred_at, e.occurred_at),
        e.data = p.data::jsonb,
        -- Encrypted or of an earlier schema, it cannot be compared here.
        CASE WHEN e.data ? '$personal' OR e.schema <> p.schema THEN e.data::text END,
        e.metadata::text
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
            e.type, e.data, e.occurred_at, e.metadata,
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
    """
    The places of planned events that are in the log; the differences by stream.

    *products* are streams of products that are on the list otherwise. They stay as they
    are, and no event is added to them: what is on the list is the shop's own business.
    *used* are streams of orders with which something was done here behind what the
    files tell, so the payment that would stand there is left to the shop, too.
    """

    there: Set[int]
    otherwise: Mapping[str, str]
    products: Set[str]
    used: Set[str]

    def missing(self, plan: Plan) -> set[int]:
        """Return the places of the events that are to be appended."""
        kept = self.products | self.used
        return {
            place
            for place, planned in enumerate(plan.events)
            if place not in self.there and planned.stream_id not in kept
        }

    def new_streams(self, plan: Plan) -> set[str]:
        """Return the streams of *plan* that have no event yet."""
        places = self.missing(plan)
        first = (plan.events[p] for p in places if plan.events[p].version == 1)
        return {planned.stream_id for planned in first}


def compare(
    connection: psycopg.Connection[Any], plan: Plan, deciders: Deciders
) -> PlanComparison:
    """
    Return which events of *plan* are in the log.

    They are looked up by id. They must also say the same, those of an earlier schema by
    what they mean today; if not, the files were changed since.
    """
    there: set[int] = set()
    otherwise: dict[str, str] = {}
    used: set[str] = set()
    keyring = Keyring(connection, deciders.masters)
    for start in range(0, len(plan.events), CHUNK):
        chunk = plan.events[start : start + CHUNK]
        rows = connection.execute(_COMPARE, arguments(plan, chunk)).fetchall()
        learn_keys((row[5] for row in rows if row[5]), keyring)
        for place, is_ours, source, is_meant, is_equal, kept, metadata in rows:
            planned = chunk[place]
            if is_ours and is_meant and kept:
                recorded = recorded_as(planned, kept, metadata)
                is_equal = means_same(planned, recorded, deciders, keyring)
            if is_ours and is_meant and is_equal:
                there.add(start + place)
            elif planned.type == PaymentReceived.__name__ and source is None:
                used.add(planned.stream_id)
            else:
                otherwise.setdefault(planned.stream_id, reason(plan, is_ours, source))
    products = {name for name in otherwise if category_of(name) == PRODUCTS.category}
    return PlanComparison(
        there=there,
        otherwise={
            name: why for name, why in otherwise.items() if name not in products
        },
        products=products,
        used=used,
    )


def recorded_as(planned: PlannedEvent, data: str, metadata: str) -> RecordedEvent:
    """Return the event of the log in the place of a planned one."""
    return RecordedEvent(
        position=0,
        stream_id=planned.stream_id,
        type=planned.type,
        version=planned.version,
        data=data,
        metadata=metadata,
        occurred_at=planned.occurred_at,
    )


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


UNDATED = {
    kind.__name__ for kind in (CustomerRegistered, ProductAdded, ProductDiscontinued)
}


def time_to_compare(planned: PlannedEvent) -> Any:
    """
    Return when an event must have occurred; None if any time is right.

    The files do not say when a customer was registered: it is the day of the first
    order, which changes when a bad order is corrected. So it is with products.
    """
    return None if planned.type in UNDATED else planned.occurred_at


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
