"""
Upcasting: convert old data of an event to the present schema version.

The word is Greg Young's, the practice Michiel Overeem's ("An empirical characterization
of event sourced systems and their schema evolution"). An upcaster lifts one major
version by one; they are chained. Nothing is written: the log stays what it was.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from eventstore.errors.unreadable import BadUpcasters, NewerSchema, UpcasterFailed


class VersionedData(NamedTuple):
    """The *data* of an event, as a dict of its fields, with type and major version."""

    type: str
    major: int
    data: dict[str, Any]


Upcaster = Callable[[dict[str, Any]], dict[str, Any] | Sequence[VersionedData]]
"""
A pure function from data to the data of the next major version of the same type.

One that renames a type, or splits an event, returns VersionedData for each new event;
these have the old one's position and version. Data left out are still in the log.
"""

Upcasters = Mapping[tuple[str, int], Upcaster]
"""By the type and the major version that each of them lifts."""

NO_UPCASTERS: Upcasters = MappingProxyType({})


def major_of(schema: str) -> int:
    """Return the major version in `major.minor`. Raises ValueError."""
    return int(schema.partition(".")[0])


def upcast(
    old: VersionedData, newest: Mapping[str, int], upcasters: Upcasters
) -> list[VersionedData]:
    """
    Return the data to which an *old* event is upcast: in order, nearly always one.

    *newest* has the major version of each type in this code; other types are not
    changed. Raises NewerSchema for a version that this code does not know yet, and
    UpcasterFailed.
    """
    upcaster = upcasters.get((old.type, old.major))
    if upcaster is None:
        known = newest.get(old.type, old.major)
        if known != old.major:
            raise NewerSchema(old.type, old.major, known)
        return [old]
    try:
        # A copy, since an upcaster may change its argument.
        made = upcaster(dict(old.data))
        if isinstance(made, Mapping):
            made = [VersionedData(old.type, old.major + 1, made)]
        next_ones = [VersionedData(*shaped) for shaped in made]
    except Exception as error:
        raise UpcasterFailed(old.type, old.major, error) from error
    return [today for made in next_ones for today in upcast(made, newest, upcasters)]


def check(newest: Mapping[str, int], upcasters: Upcasters) -> None:
    """
    Raise BadUpcasters if an earlier version of a known type has no upcaster.

    It is checked when the program starts, not when an old event is read.
    """
    missing = [
        f"{type_} {major}"
        for type_, newest_major in newest.items()
        for major in range(1, newest_major)
        if (type_, major) not in upcasters
    ]
    useless = [
        f"{type_} {major}"
        for type_, major in upcasters
        if major >= newest.get(type_, major + 1)
    ]
    if missing or useless:
        raise BadUpcasters(missing, useless)
