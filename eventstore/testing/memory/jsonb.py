"""JSON as PostgreSQL keeps it: not as it was written, but what it says."""

import json
from decimal import Decimal
from typing import Any


def as_jsonb(text: str) -> str:
    """
    Return *text* as it comes back from a column of JSONB.

    Names in the order of their length, then of their bytes, the last of two that are
    the same; numbers written out, with the digits that they had.
    """
    return write_json(json.loads(text, parse_float=Decimal))


def write_json(value: Any) -> str:
    match value:
        case dict():
            names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
            pairs = (f"{quote(name)}: {write_json(value[name])}" for name in names)
            return f"{{{', '.join(pairs)}}}"
        case list():
            return f"[{', '.join(map(written, value))}]"
        case Decimal():
            # There is no zero below zero there.
            return f"{value if value else abs(value):f}"
        case _:
            return quote(value)


def quote(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
