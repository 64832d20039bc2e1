"""
The version of the code by which a projection folds: other code may make other rows.

It is a hash of syntax trees, as snapshots have one: a corrected fold has another, and a
comment has none.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from eventstore.log.code_version import code_version, modules_of
from eventstore.projections.projection import Projection

ENGINE = __name__.partition(".")[0]


@cache
def fold_version(projection: Projection) -> str | None:
    """
    Return the hash of the code by which *projection* makes rows, and what it imports.

    Imports are followed inside the top packages of all its parts, without the engine's.
    None, with a warning in the log, if a source is not available.
    """
    # Defaults of the engine among them are no code of the projection's.
    parts = [part for part in parts_of(projection) if packages_of(part) != {ENGINE}]
    packages = {name for part in parts for name in packages_of(part)} - {ENGINE}
    return code_version(parts, frozenset(packages))


def parts_of(projection: Projection) -> Iterator[Any]:
    """Yield the functions and the classes that make the rows."""
    yield from (projection.row, projection.key_of, projection.fold)
    yield from (projection.needs, projection.parts, projection.update)
    for lookup in projection.lookups:
        yield from (lookup.row, lookup.key_of, lookup.fold)
    yield from projection.events
    yield from projection.upcasters.values()


def packages_of(part: Any) -> set[str]:
    return {name.partition(".")[0] for name in modules_of(part)}
