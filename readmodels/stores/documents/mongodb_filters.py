"""Filters in MongoDB's words: the same documents as in PostgreSQL."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from readmodels.stores.documents.bson_rows import NUMBER, to_bson
from readmodels.stores.documents.filters import (
    Condition,
    ElementConditions,
    Filter,
)

Query = dict[str, Any]

COMPARED: Mapping[str, str] = {
    "eq": "$eq",
    "gt": "$gt",
    "gte": "$gte",
    "lt": "$lt",
    "lte": "$lte",
}
MATCHED: Mapping[str, Callable[[str], str]] = {
    "prefix": lambda text: f"^{re.escape(text)}",
    "contains": re.escape,
}


def conditions_of(filter_: Filter) -> list[Query]:
    """
    Return the conditions of *filter_*, which all must hold.

    A path through an array means any element there as here. What denies is a `$nor`,
    since FerretDB takes `$ne` for one element that has another value.
    """
    return [
        *(on_path(one.field.path, one) for one in filter_.conditions),
        *map(on_one_element, filter_.elements),
    ]


def on_one_element(group: ElementConditions) -> Query:
    tests = [on_path(one.field.inner, one) for one in group.conditions]
    return {group.top: {"$elemMatch": {"$and": tests}}}


def on_path(path: tuple[str, ...], condition: Condition) -> Query:
    where = path_of(path, condition.field.kind)
    if condition.is_negative:
        return {"$nor": [{where: test(condition.opposite)}]}
    return {where: test(condition)}


def path_of(path: tuple[str, ...], kind: type) -> str:
    """Return the path of what is compared of a field of this *kind*."""
    return ".".join((*path, NUMBER) if kind is Decimal else path)


def test(condition: Condition) -> Query:
    """Return what a value must fulfil; the condition denies nothing."""
    operator, value = condition.operator, condition.value
    if operator == "exists":
        return {"$exists": True}
    if operator in MATCHED:
        return {"$regex": MATCHED[operator](value)}
    if operator == "in":
        return {"$in": [compared(one) for one in condition.values]}
    return {COMPARED[operator]: compared(value)}


def compared(value: Any) -> Any:
    """Return a value as it stands in documents where it is compared."""
    return to_bson(value)[NUMBER] if isinstance(value, Decimal) else to_bson(value)
