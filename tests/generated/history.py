"""The shapes of events, and an event of each for the code of years from now to read."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from uuid import NAMESPACE_URL, UUID, uuid5

from eventstore.encryption.envelope import encrypt_fields
from eventstore.encryption.keys import SubjectKey
from eventstore.encryption.personal_fields import is_marked, personal_fields
from eventstore.log.codec import EventCodec, schema_of
from eventstore.log.schema_compatibility import examine
from tasks.shop.deciders import ALL as DECIDERS
from tests.support.databases import ROOT

HISTORY = ROOT / "tests" / "domain" / "history"
SHAPES = HISTORY / "shapes.txt"
EVENT_CLASSES = [c for decider in DECIDERS for c in decider.events.classes]
PERSONAL = "Orchestra"
SAMPLES: dict[Any, Any] = {
    bool: True,
    int: 7,
    Decimal: Decimal("0.05"),
    date: date(2026, 12, 23),
    datetime: datetime(2026, 12, 23, 9, 30, tzinfo=UTC),
}


def missing() -> Iterator[tuple[Path, str]]:
    """
    Yield the files that are to be written, with their text.

    Of a class that has changed and does not say so by its version there is none: what
    was recorded is never written again.
    """
    new = [
        problem.lines
        for problem, kind in (
            (p, kind) for kind in EVENT_CLASSES for p in examine([kind], shapes())
        )
        if f"{kind.__name__} {schema_of(kind)}" in problem.lines.splitlines()
    ]
    if new:
        yield SHAPES, "\n\n".join([shapes().rstrip(), *new]) + "\n"
    recorded = "\n".join([shapes(), *new]).splitlines()
    for kind in EVENT_CLASSES:
        name = f"{kind.__name__}-{schema_of(kind)}"
        if f"{kind.__name__} {schema_of(kind)}" not in recorded:
            continue
        for suffix, text in samples_of(kind):
            file = HISTORY / f"{name}{suffix}.json"
            if not file.exists():
                yield file, text


def shapes() -> str:
    return SHAPES.read_text()


def samples_of(kind: type) -> Iterator[tuple[str, str]]:
    """Yield an event of *kind* as the log has it, and encrypted if it is personal."""
    data = EventCodec(()).encode(sample(kind))
    about = uuid5(NAMESPACE_URL, f"{kind.__name__} {schema_of(kind)}")
    told: dict[str, Any] = {
        "type": kind.__name__,
        "data": json.loads(data),
        "metadata": {
            "event_id": str(about),
            **dict.fromkeys(
                ("correlation_id", "causation_id", "command_id"),
                str(uuid5(about, "command")),
            ),
            "schema": schema_of(kind),
            "actor": "local",
            "recorded_at": "2026-11-23T20:21:01.832219Z",
        },
    }
    yield "", as_text(told)
    if personal := personal_fields(kind):
        secret = uuid5(about, "one half").bytes + uuid5(about, "the other").bytes
        key = SubjectKey(id=UUID(bytes=secret[:16]), secret=secret)
        closed = json.loads(encrypt_fields(data, personal, key, about))
        yield "-encrypted", as_text({**told, "data": closed, "secret": secret.hex()})


def as_text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def sample(hint: Any, text: str = "RETRO-CLOCK") -> Any:
    """
    Return a value of a type that events are made of, with every part of it.

    Its texts are *text*, but for those that are marked as personal: these are PERSONAL.
    """
    if hint is str:
        return text
    if hint in SAMPLES:
        return SAMPLES[hint]
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        texts = {f.name: PERSONAL if is_marked(f) else text for f in fields(hint)}
        parts = {name: sample(hints[name], texts[name]) for name in texts}
        return hint(**parts)  # type: ignore[operator]
    first, *_ = (part for part in get_args(hint) if part is not type(None))
    value = sample(first, text)
    return (value,) if get_origin(hint) is tuple else value
