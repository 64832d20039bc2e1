"""Masking: a message without what is personal in it, that is read as before."""

from collections.abc import Collection
from dataclasses import is_dataclass
from typing import Any

from eventstore.log.shape import fields_of
from eventstore.personal.box import FORGOTTEN
from eventstore.personal.marks import personal_fields
from eventstore.personal.masks import Mask, mapping_kinds, part_kind, plain


def masked(
    message: dict[str, Any], kind: type, mask: Mask, boxed: Collection[str] = ()
) -> dict[str, Any]:
    """
    Return a *message* of the class *kind* with its personal fields masked.

    These are those that are marked, or were *boxed* when it was written; and those that
    the class does not know: nobody can say any more what is in them.
    """
    known = fields_of(kind)
    personal = personal_fields(kind) | set(boxed)
    return {
        name: value
        if name == FORGOTTEN
        else mask.of(value, known.get(name, Any), name)
        if name in personal or name not in known
        else masked_inside(value, known[name], mask)
        for name, value in message.items()
    }


def masked_inside(value: Any, kind: Any, mask: Mask) -> Any:
    """Return what a field holds that is not personal, whose parts may be unknown."""
    kind = plain(kind)
    if isinstance(value, dict):
        if isinstance(kind, type) and is_dataclass(kind):
            return masked(value, kind, mask)
        inner = mapping_kinds(kind)[1]
        return {name: masked_inside(part, inner, mask) for name, part in value.items()}
    if isinstance(value, list):
        return [
            masked_inside(part, part_kind(kind, place), mask)
            for place, part in enumerate(value)
        ]
    return value
