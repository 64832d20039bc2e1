"""Masking: replace the personal fields of a message by values of the same form."""

import base64
import hashlib
import hmac
import re
import types
import typing
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec

from eventstore.encryption.envelope import FORGOTTEN
from eventstore.encryption.personal_fields import personal_fields
from eventstore.type_shape import fields_of

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
EMAIL_HOST = "masked.example"
"""A reserved name, to which no mail can be delivered (RFC 2606)."""


def mask_key(secret: bytes) -> bytes:
    """Return the key of masks, derived from an application's *secret*."""
    return hmac.digest(secret, b"masks of personal fields", hashlib.sha256)


@dataclass(frozen=True, slots=True)
class Mask:
    """The mask of one subject."""

    key: bytes = field(repr=False)
    subject: str

    def of(self, value: Any, kind: Any, name: str) -> Any:
        """
        Return the mask of *value*, plain data of *kind*, in a field called *name*.

        Missing and empty values are not changed. If the kind is unknown, the form of
        the value decides.
        """
        kind = plain(kind)
        match value:
            case None | "":
                return value
            case dict() if is_dataclass(kind):
                known = fields_of(typing.cast(type, kind))
                return {n: self.of(v, known.get(n, Any), n) for n, v in value.items()}
            case dict():
                names, values = mapping_kinds(kind)
                return {
                    self.of(n, names, name): self.of(v, values, name)
                    for n, v in value.items()
                }
            case list():
                return [
                    self.of(v, part_kind(kind, place), name)
                    for place, v in enumerate(value)
                ]
        return self.of_one(value, kind, name)

    def of_one(self, value: Any, kind: Any, name: str) -> Any:
        digest = self.digest(value)
        allowed = allowed_values(kind)
        if allowed:
            return allowed[number_of(digest) % len(allowed)]
        match value:
            case bool():
                return False
            case int():
                return number_like(str(abs(value)), digest)
            case float():
                return float(number_like(f"{abs(value):.0f}", digest))
            case str():
                kind = kind_of_text(value) if kind is Any else kind
                return FORMS.get(kind, text)(value, digest, name.replace("_", " "))
        raise TypeError(f"no mask for a {type(value).__name__}")

    def digest(self, value: Any) -> bytes:
        content = f"{len(self.subject)}:{self.subject}".encode()
        content += msgspec.json.encode(value)
        return hmac.digest(self.key, content, hashlib.sha256)


def plain(kind: Any) -> Any:
    """Return a kind without parts irrelevant to plain data; Any for a union."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return plain(arguments[0])
    if isinstance(kind, typing.NewType):
        return plain(kind.__supertype__)
    if origin in (typing.Union, types.UnionType):
        some = [argument for argument in arguments if argument is not types.NoneType]
        return plain(some[0]) if len(some) == 1 else Any
    return kind


def part_kind(kind: Any, place: int) -> Any:
    """Return the kind of what is at *place* in a list of *kind*."""
    arguments = typing.get_args(kind)
    if not arguments:
        return Any
    is_row = typing.get_origin(kind) is tuple and arguments[-1] is not ...
    return arguments[min(place, len(arguments) - 1)] if is_row else arguments[0]


def mapping_kinds(kind: Any) -> tuple[Any, Any]:
    arguments = typing.get_args(kind)
    origin = typing.get_origin(kind)
    is_mapping = isinstance(origin, type) and issubclass(origin, Mapping)
    return (arguments[0], arguments[1]) if is_mapping else (str, Any)


def allowed_values(kind: Any) -> list[Any]:
    """Return all values of a kind that has only a few, or an empty list."""
    if typing.get_origin(kind) is typing.Literal:
        return list(typing.get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [member.value for member in kind]
    return []


def kind_of_text(value: str) -> Any:
    for kind in (date.fromisoformat, datetime.fromisoformat, UUID):
        with suppress(ValueError):
            return type(kind(value))
    return str


def number_of(digest: bytes) -> int:
    return int.from_bytes(digest[:6])


def number_like(digits: str, digest: bytes) -> int:
    """Return a number with at most as many digits that is not 0."""
    return number_of(digest) % 10 ** min(len(digits), 14) or 1


def day_of(digest: bytes) -> date:
    return date(1900, 1, 1) + timedelta(days=number_of(digest) % 36_500)


def text(value: str, digest: bytes, name: str) -> str:
    """Return a mask in the form of the value: for an e-mail address, an address."""
    word = digest[:6].hex()
    if EMAIL.fullmatch(value):
        return f"{name.replace(' ', '-')}-{word}@{EMAIL_HOST}"
    return f"{name} {word}"


def moment(value: str, digest: bytes, _: str) -> str:
    has_zone = re.search(r"(Z|[+-]\d\d:?\d\d)$", value, re.IGNORECASE)
    return f"{day_of(digest)}T00:00:00{'Z' if has_zone else ''}"


FORMS: dict[Any, Callable[[str, bytes, str], str]] = {
    date: lambda _, digest, __: day_of(digest).isoformat(),
    datetime: moment,
    time: lambda _, digest, __: f"{digest[0] % 24:02}:{digest[1] % 60:02}:00",
    timedelta: lambda _, digest, __: f"PT{number_of(digest) % 86_400}S",
    UUID: lambda _, digest, __: str(UUID(bytes=digest[:16])),
    Decimal: lambda value, digest, _: str(number_like(value, digest)),
    bytes: lambda _, digest, __: base64.b64encode(digest[:12]).decode(),
}
"""The masks of kinds that are texts in JSON."""


def mask_message(
    message: dict[str, Any], kind: type, mask: Mask, boxed: Collection[str] = ()
) -> dict[str, Any]:
    """
    Return a *message* of the class *kind* with its personal fields masked.

    These are the marked ones, those that were encrypted (*boxed*), and those that the
    class does not have, whose content is unknown.
    """
    known = fields_of(kind)
    personal = personal_fields(kind) | set(boxed)
    return {
        name: value
        if name == FORGOTTEN
        else mask.of(value, known.get(name, Any), name)
        if name in personal or name not in known
        else mask_inside(value, known[name], mask)
        for name, value in message.items()
    }


def mask_inside(value: Any, kind: Any, mask: Mask) -> Any:
    """Return the value of a field that is not personal, its unknown parts masked."""
    kind = plain(kind)
    if isinstance(value, dict):
        if isinstance(kind, type) and is_dataclass(kind):
            return mask_message(value, kind, mask)
        inner = mapping_kinds(kind)[1]
        return {name: mask_inside(part, inner, mask) for name, part in value.items()}
    if isinstance(value, list):
        return [
            mask_inside(part, part_kind(kind, place), mask)
            for place, part in enumerate(value)
        ]
    return value
