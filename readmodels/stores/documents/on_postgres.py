"""
Documents in PostgreSQL: the rows of the read model itself, filtered by JSONB.

Equality within an array that is indexed is asked of the index, which answers
containment; each row that it finds is tried by all conditions.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from eventstore.projections.column import SCALARS
from eventstore.projections.views import Page, Search
from readmodels.stores.documents.document_types import DocumentType
from readmodels.stores.documents.fields import Field
from readmodels.stores.documents.filters import (
    Condition,
    ElementConditions,
    Filter,
)

Truth = sa.ColumnElement[bool]


def find(
    connection: sa.Connection,
    documents: DocumentType,
    filter_: Filter,
    *,
    sort: str,
    after: str | None,
    limit: int,
) -> Page[Any]:
    """
    Return at most *limit* documents that fulfil *filter_*, in the order of *sort*.

    *sort* is a name of the view's sorts, with `-` before it for descending. *after* is
    the cursor of the page before. Raises BadCursor.
    """
    tests = where(filter_)
    contained = [contains(*part) for part in contained_parts(documents, filter_)]
    page = documents.view.page
    if not contained:
        return page(connection, *tests, sort=sort, after=after, limit=limit)
    by_index = sa.and_(*contained, *tests)
    if sort.removeprefix("-") != documents.view.key:
        # Another order has no index, and to walk along it were to sort all rows.
        return page(connection, by_index, sort=sort, after=after, limit=limit)
    search = Search(by_row=sa.and_(*tests), by_index=by_index)
    return page(connection, sort=sort, after=after, limit=limit, search=search)


def where(filter_: Filter) -> list[Truth]:
    """Return the conditions of *filter_* on the columns of the read model's view."""
    return [
        *map(holds, filter_.conditions),
        *map(holds_for_one, filter_.elements),
    ]


def contained_parts(
    documents: DocumentType, filter_: Filter
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield indexed columns, each with what one of its elements must contain."""
    groups = [
        *((one.field.top, [one]) for one in filter_.conditions),
        *((group.top, group.conditions) for group in filter_.elements),
    ]
    for top, conditions in groups:
        equal = {
            one.field.inner[-1]: one.value
            for one in conditions
            if one.operator == "eq" and is_in_index(one.field)
        }
        if top in documents.indexed and equal:
            yield top, equal


def is_in_index(field: Field) -> bool:
    """Return whether JSON has each value of the field in one form only."""
    is_direct = field.is_in_array and len(field.inner) == 1
    return is_direct and field.kind in (str, int, bool)


def contains(top: str, part: Mapping[str, Any]) -> Truth:
    """Return that an element of the array in the column *top* contains *part*."""
    written = sa.literal(json.dumps([part]), sa.Text)
    # The SELECT hides it from the planner, which knows nothing of rare values.
    hidden = sa.select(sa.cast(written, JSONB)).scalar_subquery()
    return sa.column(top, JSONB).contains(hidden)


def holds(condition: Condition) -> Truth:
    field = condition.field
    if not field.is_in_array:
        return test(value_in_row(field), condition)
    if condition.is_negative:
        return sa.not_(some_element(field.top, [condition.opposite]))
    return some_element(field.top, [condition])


def holds_for_one(group: ElementConditions) -> Truth:
    return some_element(group.top, group.conditions)


def some_element(top: str, conditions: Iterable[Condition]) -> Truth:
    """Return that an element of the array in the column *top* fulfils *conditions*."""
    array: sa.ColumnElement[Any] = sa.column(top, JSONB)
    elements = sa.func.jsonb_array_elements(array, type_=JSONB).column_valued("element")
    tests = [test(value_in(elements, one.field), one) for one in conditions]
    return sa.exists(sa.select(elements).where(*tests))


def value_in_row(field: Field) -> sa.ColumnElement[Any]:
    if field.inner:
        return value_in(sa.column(field.top, JSONB), field)
    return sa.column(field.top, type_of(field))


def value_in(json: sa.ColumnElement[Any], field: Field) -> sa.ColumnElement[Any]:
    """Return the value of *field* in the column or element *json* that has it."""
    *outer, last = field.inner
    for name in outer:
        json = json[name]
    text: sa.ColumnElement[Any] = json[last].astext
    return text if field.kind is str else sa.cast(text, type_of(field))


def type_of(field: Field) -> sa.types.TypeEngine[Any]:
    """Return the type of its values in SQL."""
    return TYPES[SCALARS.get(field.kind, "uuid")]


TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "bigint": sa.BigInteger(),
    "boolean": sa.Boolean(),
    "numeric": sa.Numeric(),
    "date": sa.Date(),
    "timestamptz": sa.DateTime(timezone=True),
    "uuid": sa.Uuid(),
}


def test(found: sa.ColumnElement[Any], condition: Condition) -> Truth:
    """Return that *found*, NULL where there is no value, fulfils *condition*."""
    value: Any = condition.value
    match condition.operator:
        case "eq":
            return cast(Truth, found == value)
        case "ne":
            return found.is_distinct_from(value)
        case "in":
            return found.in_(condition.values)
        case "gt":
            return cast(Truth, found > value)
        case "gte":
            return cast(Truth, found >= value)
        case "lt":
            return cast(Truth, found < value)
        case "lte":
            return cast(Truth, found <= value)
        case "prefix":
            return sa.func.starts_with(found, value)
        case "contains":
            return sa.func.strpos(found, value) > 0
        case "exists":
            return found.is_not(None) if value else found.is_(None)
        case other:
            raise ValueError(f"{other} is no operator of a filter")
