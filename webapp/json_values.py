"""Rows of read models as JSON: times with their zone, decimals as texts."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


def as_json(value: Any) -> Any:
    """Return *value*, a row or a part of one, as plain JSON values."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case tuple() | list():
            return [as_json(part) for part in value]
        case Mapping():
            return {name: as_json(part) for name, part in value.items()}
        case _ if is_dataclass(value):
            return {f.name: as_json(getattr(value, f.name)) for f in fields(value)}
        case _:
            return value
