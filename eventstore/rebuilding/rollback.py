"""Put the rows that were live before a rebuild back behind the name, caught up."""

import time
from dataclasses import dataclass, field
from typing import Any

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors.rebuilding import NothingKept
from eventstore.log.read import settled
from eventstore.projections.change_tracking import ensure_changes
from eventstore.projections.fold_version import fold_version
from eventstore.projections.generations import (
    drop_generation,
    existing_generations,
    live_generations,
    shape_of,
)
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Projection
from eventstore.projections.tables import name_of, tables_of
from eventstore.rebuilding.filling import filling_of, read_up_to
from eventstore.rebuilding.fillings import find_fault
from eventstore.rebuilding.parts import Part
from eventstore.rebuilding.rebuild import alone
from eventstore.rebuilding.swapping import Swap


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """
    A kept generation that is live again, under the new number *generation*.

    *former* is the number that it had, *position* the one up to which it has read the
    log. *is_of_this_code* says whether the code that runs here had filled it.
    """

    former: int
    generation: int
    position: int
    is_of_this_code: bool
    seconds: float = field(default=0.0, compare=False)
    seconds_of_swap: float = field(default=0.0, compare=False)


def roll_back(
    connection: psycopg.Connection[Any],
    projection: Projection,
    *,
    masters: MasterKeys | None = None,
    parker: Parker | None = None,
) -> RolledBack:
    """
    Catch up the generation that is kept from before the last rebuild, and swap it in.

    What is live now is kept. The generation gets a number that none ever had, so that
    no copy of its rows from earlier days can be taken for it. *connection* is in
    autocommit, *masters* open the personal fields of events. With a *parker* an event
    that cannot be projected parks its stream, as it does for the live rows.

    Raises NothingKept where none is kept that could be read on with this code, and
    RebuildFailed as `rebuild` does; the live rows are then as they were.
    """
    started = time.monotonic()
    with alone(connection, projection):
        number, new, version = find_kept(connection, projection)
        is_of_this_code = version is not None and version == fold_version(projection)
        subscription = filling_of(Part(projection, number), masters, parker)
        goal = settled(connection)
        if not is_of_this_code:
            # From here on its rows are by both.
            connection.execute(
                "UPDATE public.fillings SET fold_version = NULL WHERE generation = %s",
                (name_of(projection.name, number),),
            )
        read_up_to(connection, subscription, goal, lambda _: None)
        # All of its rows, if it is followed only since it is kept: before the swap.
        with connection.transaction():
            rows = tables_of(projection, number).rows
            ensure_changes(connection, projection.name, rows)
        swap = Swap(connection, projection, subscription, number, new)
        position = swap.run()
    return RolledBack(
        former=number,
        generation=new,
        position=position,
        is_of_this_code=is_of_this_code,
        seconds=time.monotonic() - started,
        seconds_of_swap=swap.seconds,
    )


def find_kept(
    connection: psycopg.Connection[Any], projection: Projection
) -> tuple[int, int, str | None]:
    """
    Return the number of the kept generation, a free one, and its fold's version.

    What was filled and is not live is dropped. Raises NothingKept.
    """
    name = projection.name
    live = live_generations(connection).get(name)
    numbers = existing_generations(connection, name)
    older = [number for number in numbers if live and number < live.number]
    if not older:
        raise NothingKept(
            name, "no rows from before are kept, rebuild it instead of going back"
        )
    number = max(older)
    row = connection.execute(
        "SELECT shape, fold_version, phase FROM public.fillings WHERE generation = %s",
        (name_of(name, number),),
    ).fetchone()
    if row is None:
        raise NothingKept(
            name,
            f"generation {number} is older than the notes on fillings: nobody knows by"
            " which code it was made, rebuild it instead of going back",
        )
    shape, version, phase = row
    if phase != "filled":
        raise NothingKept(name, f"generation {number} was never live: rebuild it")
    if shape != shape_of(projection):
        raise NothingKept(
            name,
            f"generation {number} was made from another definition than this code's:"
            " deploy the code that made it, and go back then, or rebuild it",
        )
    fault = find_fault(connection, Part(projection, number))
    if fault is not None:
        raise NothingKept(name, f"generation {number} cannot be read on: {fault}")
    assert live is not None
    with connection.transaction():
        for other in numbers:
            if other > live.number:
                drop_generation(connection, name, other)
    return number, live.number + 1, version
